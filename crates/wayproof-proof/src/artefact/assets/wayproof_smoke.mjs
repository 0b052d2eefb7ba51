// Loads every entry of a packed package from a project that has only the packed copy. Prints TAP.
import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const [name] = process.argv.slice(2)
const root = path.dirname(fileURLToPath(import.meta.url))
const home = fs.realpathSync(path.join(root, 'node_modules', ...name.split('/')))
const manifest = JSON.parse(fs.readFileSync(path.join(home, 'package.json'), 'utf8'))
const write = fs.writeSync.bind(fs)
const say = (text) => write(1, text + '\n')
process.stdout.write = (...args) => process.stderr.write(...args)
console.log = console.error

const entries = () => {
  const { exports } = manifest
  if (exports && typeof exports === 'object' && Object.keys(exports).some((key) => key.startsWith('.'))) {
    return Object.keys(exports).filter((key) => !key.includes('*') && !/\.(json|css|scss|d\.ts|html|wasm)$/.test(key) && exports[key] !== null)
  }
  const main = [manifest.main, 'index.js', 'index.json', 'index.node'].filter(Boolean)
  const has = (file) => [file, file + '.js', file + '.json', path.join(file, 'index.js')].some((one) => fs.existsSync(path.join(home, one)))
  return exports || manifest.main || main.some(has) ? ['.'] : []
}
const commands = typeof manifest.bin === 'string' ? { [name]: manifest.bin } : manifest.bin ?? {}

const tries = entries().map((entry) => [`${name + entry.slice(1)} loads from the packed copy`, async () => {
  const specifier = name + entry.slice(1)
  const place = fs.realpathSync(fileURLToPath(import.meta.resolve(specifier)))
  if (!place.startsWith(home + path.sep)) throw new Error(`${specifier} is ${place}, which is not in the packed copy`)
  const loaded = await import(specifier)
  if (Object.keys(loaded).length === 0) throw new Error(`${specifier} exports nothing`)
}])
for (const [command, file] of Object.entries(commands)) {
  tries.push([`the command ${command} is in the packed copy`, async () => {
    if (fs.statSync(path.join(home, file)).size === 0) throw new Error(`${file} is empty`)
  }])
}
say('TAP version 13')
say(`1..${tries.length}`)
let bad = 0
for (const [index, [what, check]] of tries.entries()) {
  try {
    await check()
    say(`ok ${index + 1} - ${what}`)
  } catch (error) {
    bad += 1
    say(`not ok ${index + 1} - ${what}\n  ---\n  message: ${JSON.stringify(String(error?.message ?? error).split('\n')[0])}\n  ...`)
  }
}
process.reallyExit(bad ? 1 : 0)
