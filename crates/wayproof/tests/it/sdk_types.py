"""Reads translated requests, one a line as {"case", "protocol", "body"}, under the types of the official SDKs.

Prints what does not parse, a line each, and at last how many were read of which protocol.
"""

import collections
import json
import sys

import anthropic.types
import openai.types.chat
import openai.types.responses
import pydantic
from google.genai import types as gemini


class Whole(pydantic.BaseModel):
    """A body of generateContent: the SDK has types for its parts and none for the whole."""

    model_config = pydantic.ConfigDict(extra="forbid")

    contents: list[gemini.Content]
    systemInstruction: gemini.Content | None = None
    generationConfig: gemini.GenerationConfig | None = None
    tools: list[gemini.Tool] | None = None
    toolConfig: gemini.ToolConfig | None = None
    safetySettings: list[gemini.SafetySetting] | None = None


TYPES = {
    "messages": pydantic.TypeAdapter(anthropic.types.MessageCreateParams),
    "chat": pydantic.TypeAdapter(openai.types.chat.CompletionCreateParams),
    "responses": pydantic.TypeAdapter(openai.types.responses.ResponseCreateParams),
    "gemini": pydantic.TypeAdapter(Whole),
}


def exhaust(value):
    """Iterables are read lazily, so what is in them is not checked before they are read."""
    if isinstance(value, dict):
        for part in value.values():
            exhaust(part)
    elif not isinstance(value, (str, bytes, pydantic.BaseModel)) and hasattr(value, "__iter__"):
        for part in value:
            exhaust(part)


def main():
    read = collections.Counter()
    for line in sys.stdin:
        one = json.loads(line)
        read[one["protocol"]] += 1
        try:
            exhaust(TYPES[one["protocol"]].validate_python(one["body"]))
        except pydantic.ValidationError as error:
            for what in error.errors()[:3]:
                place = ".".join(map(str, what["loc"]))
                print(f"{one['case']}: {place}: {what['msg']}: {str(what['input'])[:200]}")
    print("read", " ".join(f"{protocol}={read[protocol]}" for protocol in sorted(TYPES)))


main()
