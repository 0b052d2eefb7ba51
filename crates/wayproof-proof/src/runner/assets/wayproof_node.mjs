// A node:test reporter that writes what happened, one JSON object a line. It changes no outcome.
const assertion = (error) => {
  for (let at = error, depth = 0; at && depth < 6; at = at.cause, depth += 1) {
    if (at.code === 'ERR_ASSERTION' || at.name === 'AssertionError') return at
  }
  return undefined
}
const root = (error) => {
  let at = error
  for (let depth = 0; depth < 6 && at && at.cause instanceof Object; depth += 1) at = at.cause
  return at
}
const place = (error) => {
  const found = /\(?((?:file:\/\/)?\/[^\s()]+):(\d+):\d+\)?/.exec(String((error && error.stack) || ''))
  return found ? { file: found[1].replace('file://', ''), line: Number(found[2]) } : { file: null, line: null }
}

export default async function * report (source) {
  const stack = []
  for await (const { type, data } of source) {
    if (type === 'test:start') {
      stack.length = data.nesting
      stack[data.nesting] = data.name
    }
    if (type !== 'test:pass' && type !== 'test:fail') continue
    const names = stack.slice(0, data.nesting).concat(data.name)
    const error = data.details && data.details.error
    const event = { event: 'result', names, file: data.file || null, kind: (data.details && data.details.type) || 'test', message: '', reason: null, at: null, line: null }
    if (data.skip !== undefined && data.skip !== false) event.status = 'skipped'
    else if (data.todo !== undefined && data.todo !== false) event.status = 'xfail'
    else if (type === 'test:pass') event.status = 'passed'
    else {
      event.status = 'failed'
      const cause = root(error)
      const failure = error && error.failureType
      event.reason = failure === 'testTimeoutFailure' ? 'timeout' : assertion(error) ? 'assertion' : 'exception'
      event.failure = failure || null
      event.message = String((cause && (cause.message || cause)) || '').slice(0, 2000)
      Object.assign(event, (({ file, line }) => ({ at: file, line }))(place(assertion(error) || cause)))
    }
    yield JSON.stringify(event) + '\n'
  }
  yield JSON.stringify({ event: 'complete', exit: 0 }) + '\n'
}
