// Asks a gateway with official SDKs for Node, by every provider, and stops at the first answer that is not what it
// should be.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const [gateway, said, packages] = process.argv.slice(2);
const require = createRequire(`${packages}/`);
const load = (name) => import(pathToFileURL(require.resolve(name)));
const { default: OpenAI } = await load('openai');
const { default: Anthropic } = await load('@anthropic-ai/sdk');
const { GoogleGenAI } = await load('@google/genai');
const { Ollama } = await load('ollama');

let checks = 0;
const check = (about, found, expected = true) => {
  checks += 1;
  assert.deepEqual(found, expected, about);
};

const chat = new OpenAI({ baseURL: `${gateway}/v1`, apiKey: 'any', maxRetries: 0 });
const claude = new Anthropic({ baseURL: gateway, apiKey: 'any', maxRetries: 0 });
const gemini = new GoogleGenAI({ apiKey: 'any', httpOptions: { baseUrl: gateway } });
const local = new Ollama({ host: gateway });
const messages = [{ role: 'user', content: 'Say it.' }];

async function joined(stream, piece) {
  let text = '';
  for await (const chunk of stream) text += piece(chunk) ?? '';
  return text;
}

async function conversations(model) {
  const plain = await chat.chat.completions.create({ model, messages });
  check(`${model} chat`, plain.choices[0].message.content, said);
  check(`${model} chat usage`, plain.usage.completion_tokens > 0);
  const chunks = chat.chat.completions.stream({ model, messages, stream_options: { include_usage: true } });
  check(`${model} chat stream`, await chunks.finalContent(), said);
  check(`${model} chat stream usage`, (await chunks.totalUsage()).completion_tokens > 0);

  const response = await chat.responses.create({ model, input: 'Say it.' });
  check(`${model} responses`, response.output_text, said);
  const events = chat.responses.stream({ model, input: 'Say it.' });
  check(`${model} responses stream`, (await events.finalResponse()).output_text, said);

  const message = await claude.messages.create({ model, max_tokens: 64, messages });
  check(`${model} messages`, message.content[0].text, said);
  check(`${model} messages stop`, message.stop_reason, 'end_turn');
  const deltas = claude.messages.stream({ model, max_tokens: 64, messages });
  check(`${model} messages stream`, await deltas.finalText(), said);
  check(`${model} messages usage`, (await deltas.finalMessage()).usage.output_tokens > 0);

  const content = await gemini.models.generateContent({ model, contents: 'Say it.' });
  check(`${model} gemini`, content.text, said);
  check(`${model} gemini usage`, content.usageMetadata.candidatesTokenCount > 0);
  const parts = await gemini.models.generateContentStream({ model, contents: 'Say it.' });
  check(`${model} gemini stream`, await joined(parts, (part) => part.text), said);

  const whole = await local.chat({ model, messages });
  check(`${model} ollama`, whole.message.content, said);
  const lines = await local.chat({ model, messages, stream: true });
  check(`${model} ollama stream`, await joined(lines, (line) => line.message.content), said);
}

async function tools(model) {
  const parameters = { type: 'object', properties: { command: { type: 'string' } }, required: ['command'] };
  const tool = { name: 'bash', description: 'Runs a command.' };
  const ask = { model, max_tokens: 64, messages };
  const calls = chat.chat.completions.stream({
    model, messages, tools: [{ type: 'function', function: { ...tool, parameters } }],
  });
  const [call] = (await calls.finalMessage()).tool_calls;
  check(`${model} chat call`, [call.function.name, JSON.parse(call.function.arguments)], ['bash', { command: 'ls' }]);
  const after = [
    ...messages,
    { role: 'assistant', tool_calls: [call] },
    { role: 'tool', tool_call_id: call.id, content: 'README.md' },
  ];
  const then = await chat.chat.completions.create({ model, messages: after });
  check(`${model} chat after the call`, then.choices[0].message.content, said);

  const blocks = claude.messages.stream({ ...ask, tools: [{ ...tool, input_schema: parameters }] });
  const content = (await blocks.finalMessage()).content;
  const use = content.find((block) => block.type === 'tool_use');
  check(`${model} messages call`, [use.name, use.input], ['bash', { command: 'ls' }]);
  const result = { type: 'tool_result', tool_use_id: use.id, content: 'README.md' };
  const ended = await claude.messages.create({
    ...ask, messages: [...messages, { role: 'assistant', content }, { role: 'user', content: [result] }],
  });
  check(`${model} messages after the call`, ended.content[0].text, said);

  const response = await chat.responses.create({
    model, input: messages, tools: [{ type: 'function', ...tool, parameters, strict: false }],
  });
  const item = response.output.find((one) => one.type === 'function_call');
  check(`${model} responses call`, [item.name, JSON.parse(item.arguments)], ['bash', { command: 'ls' }]);
  const output = { type: 'function_call_output', call_id: item.call_id, output: 'README.md' };
  const last = await chat.responses.create({ model, input: [...messages, item, output] });
  check(`${model} responses after the call`, last.output_text, said);

  const declared = { functionDeclarations: [{ ...tool, parametersJsonSchema: parameters }] };
  const made = await gemini.models.generateContent({ model, contents: 'Say it.', config: { tools: [declared] } });
  const [wanted] = made.functionCalls;
  check(`${model} gemini call`, [wanted.name, wanted.args], ['bash', { command: 'ls' }]);

  const offered = await local.chat({ model, messages, tools: [{ type: 'function', function: { ...tool, parameters } }] });
  const [named] = offered.message.tool_calls;
  check(`${model} ollama call`, [named.function.name, named.function.arguments], ['bash', { command: 'ls' }]);
}

async function prompts(model) {
  const whole = await local.generate({ model, prompt: 'Say it.', system: 'Be brief.' });
  check(`${model} generate`, [whole.response, whole.done], [said, true]);
  const stream = await local.generate({ model, prompt: 'a', suffix: 'b', stream: true });
  check(`${model} generate stream`, await joined(stream, (line) => line.response), said);
  const text = await chat.completions.create({ model, prompt: 'a', suffix: 'b', max_tokens: 64 });
  check(`${model} completions`, text.choices[0].text, said);
}

async function everythingElse() {
  const counted = await claude.messages.countTokens({ model: 'chat/m', messages });
  check('estimate', counted.input_tokens > 0);
  const tokens = await gemini.models.countTokens({ model: 'messages/m', contents: 'Say it.' });
  check('gemini estimate', tokens.totalTokens > 0);
  const vector = await chat.embeddings.create({ model: 'chat/e', input: 'a', encoding_format: 'float' });
  check('embedding', vector.data[0].embedding, [0.5, -1]);
  const embedded = await local.embed({ model: 'ollama/e', input: 'a' });
  check('ollama embedding', embedded.embeddings[0], [0.5, -1]);
  const several = await gemini.models.embedContent({ model: 'gemini/e', contents: 'a' });
  check('gemini embedding', several.embeddings[0].values, [0.5, -1]);
  const ids = [];
  for await (const model of chat.models.list()) ids.push(model.id);
  check('models', ids.includes('wayproof/auto'));
  const names = [];
  for await (const model of claude.models.list()) names.push(model.id);
  check('anthropic models', names.includes('claude-wayproof-auto'));
  check('ollama models', (await local.list()).models.some((model) => model.model === 'wayproof/auto'));
  check('model', (await chat.models.retrieve('chat/m')).id, 'chat/m');
  const missing = await chat.models.retrieve('nothing').catch((error) => error);
  check('missing model', missing instanceof OpenAI.NotFoundError);
  const refused = await claude.messages
    .create({ model: 'chat/nobody', max_tokens: 64, messages })
    .catch((error) => error);
  check('unknown model', [refused instanceof Anthropic.APIError, refused.error?.type], [true, 'error']);
}

for (const name of ['chat', 'messages', 'responses', 'gemini']) {
  await conversations(`${name}/m`);
  await prompts(`${name}/m`);
  await tools(`${name}/t`);
}
await everythingElse();
console.log(checks, 'checks hold');
