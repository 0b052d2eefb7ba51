"""Holds streamed conversations with a real model in every protocol, and stops at the first answer that is not the model's."""

import json
import sys
import urllib.request

import anthropic
import ollama
import openai
from google import genai
from google.genai import types

GATEWAY, SERVER = sys.argv[1:]
MOST = 6
ASKS = ["Name a colour.", "Grüße! Name another one."]
checks = 0


def check(about, holds, found):
    global checks
    checks += 1
    assert holds, f"{about}: {found!r}"


chat = openai.OpenAI(base_url=GATEWAY + "/v1", api_key="any", max_retries=0)
claude = anthropic.Anthropic(base_url=GATEWAY, api_key="any", max_retries=0)
gemini = genai.Client(api_key="any", http_options=types.HttpOptions(base_url=GATEWAY))
local = ollama.Client(host=GATEWAY)


def server(messages):
    """What the server says by itself: text, tokens read and written."""
    body = {"model": "m", "messages": messages, "max_tokens": MOST, "temperature": 0}
    request = urllib.request.Request(
        SERVER + "/v1/chat/completions",
        json.dumps(body).encode(),
        {"content-type": "application/json"},
    )
    with urllib.request.urlopen(request) as answer:
        said = json.load(answer)
    usage = said["usage"]
    text = said["choices"][0]["message"]["content"]
    return text, usage["prompt_tokens"], usage["completion_tokens"]


def by_chat(model, messages):
    stream = chat.chat.completions.create(
        model=model,
        messages=messages,
        max_tokens=MOST,
        temperature=0,
        stream=True,
        stream_options={"include_usage": True},
    )
    text, usage = "", None
    for chunk in stream:
        text += "".join(choice.delta.content or "" for choice in chunk.choices)
        usage = chunk.usage or usage
    return text, usage.prompt_tokens, usage.completion_tokens


def by_responses(model, messages):
    # The server knows answers only as whole items.
    def item(message):
        if message["role"] == "user":
            return message
        part = {"type": "output_text", "text": message["content"], "annotations": []}
        about = {"type": "message", "id": "msg_1", "status": "completed"}
        return {**about, "role": "assistant", "content": [part]}

    messages = [item(message) for message in messages]
    # The server leaves out the index of a content part, so the SDK's own gathering of deltas does not work on it.
    stream = chat.responses.create(
        model=model, input=messages, max_output_tokens=MOST, temperature=0, stream=True
    )
    text, final = "", None
    for event in stream:
        if event.type == "response.output_text.delta":
            text += event.delta
        elif event.type in ("response.completed", "response.incomplete"):
            final = event.response
    check("deltas are the whole", text == final.output_text, (text, final.output_text))
    return final.output_text, final.usage.input_tokens, final.usage.output_tokens


def by_messages(model, messages):
    with claude.messages.stream(
        model=model, messages=messages, max_tokens=MOST, extra_body={"temperature": 0}
    ) as stream:
        final = stream.get_final_message()
    usage = final.usage
    cached = (usage.cache_read_input_tokens or 0) + (usage.cache_creation_input_tokens or 0)
    text = "".join(block.text for block in final.content if block.type == "text")
    return text, usage.input_tokens + cached, usage.output_tokens


def by_gemini(model, messages):
    roles = {"user": "user", "assistant": "model"}
    contents = [
        types.Content(role=roles[m["role"]], parts=[types.Part(text=m["content"])])
        for m in messages
    ]
    config = types.GenerateContentConfig(max_output_tokens=MOST, temperature=0)
    text, usage = "", None
    for chunk in gemini.models.generate_content_stream(
        model=model, contents=contents, config=config
    ):
        text += chunk.text or ""
        usage = chunk.usage_metadata or usage
    written = usage.candidates_token_count + (usage.thoughts_token_count or 0)
    return text, usage.prompt_token_count, written


def by_ollama(model, messages):
    text, last = "", None
    options = {"num_predict": MOST, "temperature": 0}
    for chunk in local.chat(model=model, messages=messages, stream=True, options=options):
        text += chunk.message.content or ""
        last = chunk
    return text, last.prompt_eval_count, last.eval_count


NATIVE = [by_chat, by_responses, by_messages]
WAYS = {"any": NATIVE}

for provider in ["any", "chat", "messages", "responses"]:
    for way in WAYS.get(provider, NATIVE + [by_gemini, by_ollama]):
        about = f"{way.__name__} to {provider}"
        messages = []
        for ask in ASKS:
            messages.append({"role": "user", "content": ask})
            wanted = server(messages)
            found = way(provider + "/m", messages)
            check(about + ": text", found[0] == wanted[0] and found[0], (found, wanted))
            check(about + ": tokens", found[1:] == wanted[1:], (found, wanted))
            messages.append({"role": "assistant", "content": found[0]})

print(checks, "checks hold")
