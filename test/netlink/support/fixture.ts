// Reads fixtures/netlink/*.txt: cases of comment lines, bytes in hex, and after `=` what they say, separated by blank lines.
import { readFileSync } from 'node:fs'

export interface Case {
  /** The command that caused the message. */
  readonly name: string
  readonly bytes: Buffer
  readonly expected: unknown
}

/** The cases of fixtures/netlink/NAME.txt; the first paragraph is the file's own comment. */
export function cases(name: string): Case[] {
  const paragraphs = readFileSync(`fixtures/netlink/${name}.txt`, 'utf8').trim().split(/\n{2,}/).slice(1)
  return paragraphs.map(paragraph => {
    const lines = paragraph.split('\n')
    const expected = lines.find(line => line.startsWith('= '))
    const hex = lines.filter(line => /^[0-9a-f]{2}( |$)/.test(line)).join(' ')
    if (expected === undefined || hex === '') throw new Error(`fixtures/netlink/${name}.txt: no bytes or no '= ' line in:\n${paragraph}`)
    return {
      name: (lines[0] ?? '').replace(/^# /, ''),
      bytes: Buffer.from(hex.replace(/ /g, ''), 'hex'),
      expected: JSON.parse(expected.slice(2)) as unknown
    }
  })
}

/** The attributes of a payload behind its fixed header, each as hex, sorted: netlink gives their order no meaning. */
export function attributesOf(payload: Buffer, headerBytes: number): string[] {
  const found: string[] = []
  for (let at = headerBytes; at < payload.length;) {
    const length = payload.readUInt16LE(at)
    found.push(payload.toString('hex', at, at + length))
    at += (length + 3) & ~3
  }
  return found.sort()
}
