// Captured conversations: the text form in which fixtures/ovsdb holds them, written by capture.ts, replayed by session.test.ts.
//
//     # comment; the ovs-vsctl command that caused what follows
//     > {...}          sent by the client
//     < {...}          sent by the server
//     ---              the connection was lost, a new one follows
//     = {...}          what `ovsdb-client dump -f json` printed at the end, one line per table
import type { Message } from './proxy.js'

export type Line =
  | { readonly kind: 'message', readonly from: Message['from'], readonly json: unknown }
  | { readonly kind: 'reconnect' }
  | { readonly kind: 'dump', readonly text: string }

export function parseConversation(text: string): readonly Line[] {
  return text.split('\n').filter((line) => line !== '' && !line.startsWith('#')).map((line): Line => {
    const body = line.slice(2)
    switch (line.slice(0, 2)) {
      case '> ': return { kind: 'message', from: 'client', json: JSON.parse(body) }
      case '< ': return { kind: 'message', from: 'server', json: JSON.parse(body) }
      case '= ': return { kind: 'dump', text: body }
      case '--': return { kind: 'reconnect' }
      default: throw new Error(`a line that is none of # > < = ---: ${line}`)
    }
  })
}

export function formatMessage({ from, json }: Message): string {
  return `${from === 'client' ? '>' : '<'} ${JSON.stringify(json)}`
}
