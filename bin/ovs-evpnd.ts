#!/usr/bin/env node
// The daemon's entry: arguments, going into the background, and the exit code. Everything else is lib/daemon.
import { parseArguments } from '../lib/daemon/arguments.js'
import { runDaemon } from '../lib/daemon/main.js'
import { detach, isDetached } from '../lib/daemon/process/detach.js'
import { readVersion } from '../lib/daemon/version.js'

const options = parseArguments(process.argv.slice(2), process.env, readVersion())
try {
  process.exit(options.detach && !isDetached() ? await detach() : await runDaemon(options))
} catch (error) {
  process.stderr.write(`ovs-evpnd: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exit(1)
}
