// Fixtures: `# what ovs-ofctl prints`, then the bytes in hex.
import { readFileSync } from 'node:fs'

export interface Pair {
  readonly text: string
  readonly bytes: Buffer
}

/** The pairs of fixtures/openflow/<name>.txt; lines that begin with `##` are remarks, several `#` lines in a row are one text. */
export function readPairs(name: string): Pair[] {
  const pairs: Pair[] = []
  let text: string[] = []
  let hex = ''
  const flush = (): void => {
    if (text.length > 0) pairs.push({ text: text.join('\n'), bytes: Buffer.from(hex, 'hex') })
    text = []
    hex = ''
  }
  for (const line of readFileSync(`fixtures/openflow/${name}.txt`, 'utf8').split('\n')) {
    if (line.startsWith('##')) continue
    if (!line.startsWith('#')) hex += line.replaceAll(' ', '')
    else {
      if (hex !== '') flush()
      text.push(line.slice(2))
    }
  }
  flush()
  return pairs
}

/** The bytes that belong to a text. */
export function bytesOf(pairs: readonly Pair[], text: string): Buffer {
  const found = pairs.find((pair) => pair.text === text)
  if (!found) throw new Error(`no fixture for: ${text}`)
  return found.bytes
}
