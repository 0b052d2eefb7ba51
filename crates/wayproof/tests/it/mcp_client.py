"""The official Python SDK as a client of `wayproof mcp`: lists the tools, calls each, and prints what came."""

import asyncio
import json
import sys

from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client


async def main() -> None:
    program, repository, data = sys.argv[1:4]
    arguments = ["mcp", "--repo", repository, "--data", data]
    server = StdioServerParameters(command=program, args=arguments)
    async with stdio_client(server) as (read, write):
        async with ClientSession(read, write) as session:
            started = await session.initialize()
            listed = await session.list_tools()
            said = {
                "instructions": started.instructions,
                "tools": [tool.name for tool in listed.tools],
            }
            calls = json.loads(sys.argv[4])
            for name, arguments in calls:
                key = f"{name} {json.dumps(arguments)}"
                try:
                    result = await session.call_tool(name, arguments)
                    failed = getattr(result, "is_error", None)
                    if failed is None:
                        failed = getattr(result, "isError", False)
                    said[key] = {"text": result.content[0].text, "failed": bool(failed)}
                except Exception as error:
                    said[key] = {"error": str(error)}
            print(json.dumps(said))


asyncio.run(main())
