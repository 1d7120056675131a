// The version of this program: the one in package.json, which lies three folders above the compiled file.
import fs from 'node:fs'

/** `X.Y.Z`. */
export function readVersion(): string {
  const text = fs.readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { readonly version: string }).version
}
