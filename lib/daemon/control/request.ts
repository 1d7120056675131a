// JSON-RPC 1.0 as unixctl speaks it: what a request looks like, and how answers are written.

export interface Request {
  readonly id: unknown
  readonly method: string
  readonly params: readonly unknown[]
}

/** A message as a request; when it is none, the reason in words. The rules are those of Open vSwitch's jsonrpc. */
export function readRequest(message: unknown): Request | string {
  if (typeof message !== 'object' || message === null) return 'a message that is no JSON object'
  const { id, method, params, ...rest } = message as Record<string, unknown>
  if (typeof method !== 'string') return 'a message whose method is not a string'
  if (id === undefined || id === null) return 'a notification instead of a request'
  if (!Array.isArray(params)) return 'a request whose params are not an array'
  // Some clients send the members of a reply as null.
  const strange = Object.keys(rest).find(key => !((key === 'result' || key === 'error') && rest[key] === null))
  return strange === undefined ? { id, method, params } : `a request with the member "${strange}"`
}

/** A reply with a result: text, or the document of a client that asked for JSON. */
export function formatReply(id: unknown, result: unknown): string {
  return JSON.stringify({ error: null, id, result })
}

/** A reply with an error. */
export function formatError(id: unknown, error: string): string {
  return JSON.stringify({ error: endLine(error), id, result: null })
}

/** Clients before Open vSwitch 3.4 print an answer as it is, so it has to end its last line. */
export function endLine(text: string): string {
  return text === '' || text.endsWith('\n') ? text : text + '\n'
}
