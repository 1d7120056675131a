// Framing: whatever JSON objects go in, in whatever pieces, come out again; everything else is an OvsdbError.
import { deepStrictEqual } from 'node:assert'
import fc from 'fast-check'
import t from 'tap'
import { JsonSplitter, OvsdbError } from '../../lib/ovsdb/index.js'
import { SEED } from '../hostile/input.js'
import { thrown } from './thrown.js'
import { MAX_DEPTH } from '../../lib/ovsdb/splitter.js'

/** All messages of a stream that arrives in these pieces. */
function split(pieces: readonly Uint8Array[], splitter = new JsonSplitter()): unknown[] {
  return pieces.flatMap((piece) => [...splitter.push(piece)])
}

/** The stream cut at these positions, taken modulo its length. */
function cut(stream: Buffer, positions: readonly number[]): Buffer[] {
  const at = [0, ...positions.map((position) => position % (stream.length + 1)).sort((a, b) => a - b), stream.length]
  return at.slice(1).map((end, index) => stream.subarray(at[index], end))
}

/** The stream in pieces of this many bytes. */
function inPieces(stream: Buffer, size: number): Buffer[] {
  return Array.from({ length: Math.ceil(stream.length / size) }, (_, index) => stream.subarray(index * size, (index + 1) * size))
}

const object = fc.dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue({ stringUnit: 'grapheme' }))
  .map((value) => JSON.parse(JSON.stringify(value)) as unknown)

const tricky = [
  { text: '{}', means: {} },
  { text: ' \r\n\t{"a":1}\n', means: { a: 1 } },
  { text: '{"a":"}"}', means: { a: '}' } },
  { text: '{"a":"\\"}"}', means: { a: '"}' } },
  { text: '{"a":"\\\\"}', means: { a: '\\' } },
  { text: '{"a":"\\\\\\"{["}', means: { a: '\\"{[' } },
  { text: '{"a":"\\u007d\\ud83d\\ude00"}', means: { a: '}😀' } },
  { text: '{"größe":"日本 😀"}', means: { größe: '日本 😀' } },
  { text: '{"a":[[],{},[{"b":"]"}]]}', means: { a: [[], {}, [{ b: ']' }]] } }
]

await t.test('braces in strings, escapes and characters of several bytes, in one piece and byte by byte', (t) => {
  for (const { text, means } of tricky) {
    const stream = Buffer.from(text)
    t.strictSame(split([stream]), [means], `whole: ${text}`)
    t.strictSame(split([...stream].map((byte) => Buffer.of(byte))), [means], `byte by byte: ${text}`)
  }
  t.strictSame(split([Buffer.from(tricky.map(({ text }) => text).join(''))]), tricky.map(({ means }) => means), 'all in one read')
  t.end()
})

await t.test('any messages in any pieces', (t) => {
  fc.assert(fc.property(fc.array(object), fc.constantFrom('', '\n', '  '), fc.array(fc.nat()), (messages, between, positions) => {
    const stream = Buffer.from(messages.map((message) => JSON.stringify(message)).join(between))
    deepStrictEqual(split(cut(stream, positions)), messages)
  }), { numRuns: 300, seed: SEED })
  t.pass('for all')
  t.end()
})

await t.test('trailing bytes wait for the rest', (t) => {
  const splitter = new JsonSplitter()
  t.strictSame(split([Buffer.from('{"a":1}{"b":')], splitter), [{ a: 1 }])
  t.equal(splitter.idle, false)
  t.strictSame(split([Buffer.from('2}')], splitter), [{ b: 2 }])
  t.equal(splitter.idle, true)
  t.end()
})

const hostile: readonly { readonly what: string, readonly text: string, readonly message: RegExp, readonly limit?: number }[] = [
  { what: 'a bare word', text: 'null', message: /expected a JSON object, got byte 0x6e/ },
  { what: 'an array', text: '[1]', message: /expected a JSON object/ },
  { what: 'a closing brace', text: '}', message: /expected a JSON object/ },
  { what: 'crossed braces', text: '{"a":[1}}', message: /no JSON/ },
  { what: 'no JSON inside the braces', text: '{a:1}', message: /no JSON/ },
  { what: 'a control character in a string', text: '{"a":"\u0000"}', message: /no JSON/ },
  { what: 'too deep', text: '{"a":'.repeat(MAX_DEPTH + 1), message: /nested deeper/ },
  { what: 'too long', text: `{"a":"${'x'.repeat(1000)}"}`, message: /more than 500 bytes/, limit: 500 }
]

await t.test('hostile input is an OvsdbError; messages before it arrive', (t) => {
  for (const { what, text, message, limit } of hostile) {
    for (const size of [1, 7, text.length]) {
      const stream = Buffer.from(`{"before":1}${text}`)
      const pieces = inPieces(stream, size)
      const splitter = new JsonSplitter(limit)
      const seen: unknown[] = []
      const error = thrown(() => { for (const piece of pieces) for (const json of splitter.push(piece)) seen.push(json) })
      t.match(error, { kind: 'protocol', message }, `${what}, ${size} bytes at a time`)
      t.strictSame(seen, [{ before: 1 }], 'what came before is kept')
    }
  }
  t.throws(() => split([Buffer.from('{"a":"'), Buffer.of(0xff), Buffer.from('"}')]), OvsdbError, 'not UTF-8')
  t.end()
})

await t.test('any bytes: messages or an OvsdbError, never anything else', (t) => {
  const jsonLike = fc.array(fc.constantFrom('{', '}', '[', ']', '"', '\\', ',', ':', 'a', '1')).map((parts) => Buffer.from(parts.join('')))
  const bytes = fc.oneof(fc.uint8Array(), jsonLike)
  fc.assert(fc.property(fc.array(bytes), (pieces) => {
    try {
      split(pieces)
    } catch (error) {
      if (!(error instanceof OvsdbError)) throw error
    }
  }), { numRuns: 2000, seed: SEED })
  t.pass('only OvsdbError was thrown')
  t.end()
})

/** Milliseconds to split one message of this many bytes that arrives in pieces of 4096. */
function timeToSplit(bytes: number): number {
  const stream = Buffer.from(`{"a":"${'x'.repeat(bytes)}"}`)
  const pieces = inPieces(stream, 4096)
  const start = performance.now()
  split(pieces)
  return performance.now() - start
}

await t.test('time grows with the bytes, not with their square', (t) => {
  const best = (bytes: number): number => Math.min(...Array.from({ length: 4 }, () => timeToSplit(bytes)))
  best(1 << 20)
  const ratio = best(1 << 24) / best(1 << 20)
  t.ok(ratio < 100, `16 times the bytes took ${ratio.toFixed(1)} times as long (the square would be 256)`)
  t.end()
})
