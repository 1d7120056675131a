#!/usr/bin/env node
// The debug CLI's entry. Everything is lib/cli.
import { runCli } from '../lib/cli/run.js'
import { readVersion } from '../lib/daemon/version.js'

// A reader that has seen enough (head, less) closes the pipe: no reason to complain.
process.stdout.on('error', () => process.exit(0))
process.exitCode = await runCli(process.argv.slice(2), process.env, readVersion(), {
  isTerminal: process.stdout.isTTY,
  isErrorTerminal: process.stderr.isTTY,
  print: text => process.stdout.write(text),
  complain: text => process.stderr.write(text)
})
