// Writes what is generated from the parsers' tables: docs/configuration.md's tables, and the completion's keys.
import { readFileSync, writeFileSync } from 'node:fs'
import { withKeys, withTables } from '../dist/lib/config/reference.js'

const FILES = { 'docs/configuration.md': withTables, 'packaging/bash-completion/ovs-evpnctl': withKeys }
for (const [file, made] of Object.entries(FILES)) {
  const text = readFileSync(file, 'utf8')
  if (made(text) === text) continue
  writeFileSync(file, made(text))
  console.log(`docs: ${file} is written anew`)
}
