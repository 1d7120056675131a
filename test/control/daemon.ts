// A program for the tests: everything ovs-evpnd does to become a daemon, and nothing else. It answers on its control socket and
// ends on `exit`; with TEST_FAIL=reason it gives up while starting, as the daemon does when something is wrong.
import { parseArguments } from '../../lib/daemon/arguments.js'
import { daemonCommands } from '../../lib/daemon/control/daemon-commands.js'
import { ControlServer } from '../../lib/daemon/control/server.js'
import { createLog } from '../../lib/daemon/log/log.js'
import type { DaemonOptions } from '../../lib/daemon/options.js'
import { detach, isDetached } from '../../lib/daemon/process/detach.js'
import { enterProcess } from '../../lib/daemon/process/enter.js'

async function serve(options: DaemonOptions): Promise<number> {
  const self = enterProcess(options)
  const log = createLog({ verbose: options.verbose, ...(options.logFile === undefined ? {} : { logFile: options.logFile }) })
  let exit = (): void => undefined
  const ended = new Promise<void>(resolve => exit = resolve)
  const commands = daemonCommands({ version: '0.0.0', log, exit, memory: () => ({}), counters: () => ({}) })
  const where = { name: 'test/where', usage: '', min: 0, max: 0, run: () => `${process.pid} ${process.cwd()}` }
  const server = new ControlServer({ commands: [...commands, where], log: log.module('unixctl') })
  await server.listen(options.unixctl)
  log.module('main').warn('starting')
  if (process.env['TEST_FAIL'] !== undefined) throw new Error(process.env['TEST_FAIL'])
  self.ready()
  log.module('main').warn('started')
  await ended
  await server.close()
  self.leave()
  return 0
}

const options = parseArguments(process.argv.slice(2), process.env, '0.0.0')
try {
  process.exit(options.detach && !isDetached() ? await detach() : await serve(options))
} catch (error) {
  process.stderr.write(`ovs-evpnd: ${(error as Error).message}\n`)
  process.exit(3)
}
