"""Asks a gateway with official SDKs, by every provider, and stops at the first answer that is not what it should be."""

import asyncio
import json
import sys

import anthropic
import ollama
import openai
import websockets
from google import genai
from google.genai import types
from mistralai.client import Mistral

GATEWAY, SAID = sys.argv[1:]
checks = 0


def check(about, found, expected=True):
    global checks
    checks += 1
    assert found == expected, f"{about}: {found!r} is not {expected!r}"


chat = openai.OpenAI(base_url=GATEWAY + "/v1", api_key="any", max_retries=0)
claude = anthropic.Anthropic(base_url=GATEWAY, api_key="any", max_retries=0)
gemini = genai.Client(api_key="any", http_options=types.HttpOptions(base_url=GATEWAY))
local = ollama.Client(host=GATEWAY)
mistral = Mistral(api_key="any", server_url=GATEWAY)
ask = [{"role": "user", "content": "Say it."}]


def conversations(model):
    whole = chat.chat.completions.create(model=model, messages=ask)
    check(model + " chat", whole.choices[0].message.content, SAID)
    check(model + " chat usage", whole.usage.completion_tokens > 0)
    stream = chat.chat.completions.create(model=model, messages=ask, stream=True)
    pieces = [chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices]
    check(model + " chat stream", "".join(pieces), SAID)

    whole = chat.responses.create(model=model, input="Say it.")
    check(model + " responses", whole.output_text, SAID)
    with chat.responses.stream(model=model, input="Say it.") as stream:
        check(model + " responses stream", stream.get_final_response().output_text, SAID)

    whole = claude.messages.create(model=model, max_tokens=64, messages=ask)
    check(model + " messages", whole.content[0].text, SAID)
    check(model + " messages stop", whole.stop_reason, "end_turn")
    with claude.messages.stream(model=model, max_tokens=64, messages=ask) as stream:
        check(model + " messages stream", stream.get_final_text(), SAID)

    whole = gemini.models.generate_content(model=model, contents="Say it.")
    check(model + " gemini", whole.text, SAID)
    stream = gemini.models.generate_content_stream(model=model, contents="Say it.")
    check(model + " gemini stream", "".join(chunk.text or "" for chunk in stream), SAID)

    whole = local.chat(model=model, messages=ask)
    check(model + " ollama", whole.message.content, SAID)
    stream = local.chat(model=model, messages=ask, stream=True)
    check(model + " ollama stream", "".join(chunk.message.content for chunk in stream), SAID)


def prompts(model):
    whole = local.generate(model=model, prompt="Say it.", system="Be brief.")
    check(model + " generate", (whole.response, whole.done), (SAID, True))
    stream = local.generate(model=model, prompt="a", suffix="b", stream=True)
    check(model + " generate stream", "".join(chunk.response for chunk in stream), SAID)

    whole = chat.completions.create(model=model, prompt="a", suffix="b", max_tokens=64)
    check(model + " completions", whole.choices[0].text, SAID)
    stream = chat.completions.create(model=model, prompt="a", stream=True)
    check(model + " completions stream", "".join(chunk.choices[0].text for chunk in stream), SAID)

    whole = mistral.fim.complete(model=model, prompt="a", suffix="b")
    check(model + " fim", whole.choices[0].message.content, SAID)
    stream = mistral.fim.stream(model=model, prompt="a", suffix="b")
    pieces = [event.data.choices[0].delta.content or "" for event in stream]
    check(model + " fim stream", "".join(pieces), SAID)


def everything_else():
    raw = claude.messages.with_raw_response
    counted = raw.count_tokens(model="chat/m", messages=ask)
    check("estimate", counted.parse().input_tokens > 0)
    check("estimate's mark", counted.headers["x-wayproof-estimate"], "tokens; method=weights")
    counted = gemini.models.count_tokens(model="messages/m", contents="Say it.")
    check("gemini estimate", counted.total_tokens > 0)
    vector = chat.embeddings.create(model="chat/e", input="a", encoding_format="float")
    check("embedding", vector.data[0].embedding, [0.5, -1.0])
    check("ollama embedding", list(local.embed(model="ollama/e", input="a").embeddings[0]), [0.5, -1.0])
    vector = gemini.models.embed_content(model="gemini/e", contents="a")
    check("gemini embedding", vector.embeddings[0].values, [0.5, -1.0])
    check("models", "wayproof/auto" in [model.id for model in chat.models.list()])
    check("anthropic models", "claude-wayproof-auto" in [model.id for model in claude.models.list()])
    check("gemini models", "models/wayproof/auto" in [model.name for model in gemini.models.list()])
    check("ollama models", "wayproof/auto" in [model.model for model in local.list().models])
    check("model", chat.models.retrieve("chat/m").id, "chat/m")
    check("anthropic model", claude.models.retrieve("chat/m").id, "chat/m")
    check("ollama load", local.generate(model="chat/m").done_reason, "load")
    try:
        chat.models.retrieve("nothing")
    except openai.NotFoundError as error:
        check("missing model", "no model" in str(error))


async def socket(model):
    """Offers to pack frames, as Codex does."""
    address = GATEWAY.replace("http", "ws") + "/v1/responses"

    async def turn(connection, text, previous):
        message = {"type": "response.create", "model": model, "store": False, "input": text}
        await connection.send(json.dumps(message | {"previous_response_id": previous}))
        pieces = []
        async for event in connection:
            event = json.loads(event)
            if event["type"] == "response.output_text.delta":
                pieces.append(event["delta"])
            if event["type"] in ("response.completed", "error"):
                return "".join(pieces), event

    async with websockets.connect(address) as connection:
        said, event = await turn(connection, "Say it.", None)
        check(model + " socket", said, SAID)
        said, event = await turn(connection, "Again.", event["response"]["id"])
        check(model + " socket again", (said, event["type"]), (SAID, "response.completed"))


for name in ("chat/m", "messages/m", "responses/m"):
    conversations(name)
    prompts(name)
    asyncio.run(socket(name))
everything_else()
print(checks, "checks hold")
