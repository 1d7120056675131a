// The page: one file with its script and its style in it, which are the only ones that a browser is told to accept.
import { createHash } from 'node:crypto'
import fs from 'node:fs'

export interface Page {
  readonly html: string
  /** Of its Content-Security-Policy, what it needs. */
  readonly policy: string
}

/** It lies in assets/, four folders above the compiled file. */
export function readPage(): Page {
  const html = fs.readFileSync(new URL('../../../../assets/fabric.html', import.meta.url), 'utf8')
  return { html, policy: `script-src ${hashes(html, 'script')}; style-src ${hashes(html, 'style')}; connect-src 'self'; img-src data:` }
}

function hashes(html: string, element: string): string {
  return [...html.matchAll(new RegExp(`<${element}>(.*?)</${element}>`, 'gs'))].map(([, text = '']) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`).join(' ')
}
