// The program `npm run demo`.
import { constants } from 'node:os'
import { runDemo } from './demo.js'
import { Screen } from './screen.js'

const HELP = `Usage: npm run demo

Builds an EVPN fabric in network namespaces: two Open vSwitch chassis that run ovs-evpnd and one Linux VTEP that does
not, FRR on each. Shows what they learn of each other and that packets cross, and removes it all again. Needs root;
takes no arguments. Colours only on a terminal, and not with NO_COLOR set.

Exit code: 0 all went well, 1 something failed, 2 it could not be started like this.
`

/** What was asked for instead of the demo: the text to print and the exit code. */
function otherThanDemo(args: readonly string[]): { readonly text: string, readonly code: number } | undefined {
  if (args.includes('--help') || args.includes('-h')) return { text: HELP, code: 0 }
  if (args.length > 0) return { text: `demo: unknown argument '${args[0]}'; it takes none but --help\n`, code: 2 }
  if (process.getuid?.() !== 0) return { text: 'demo: it builds network namespaces, which needs root; run it as root\n', code: 2 }
  return undefined
}

/** Ends on a signal; the lab, if there is one, goes down when the program exits. */
function endOnSignals(): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      process.stderr.write(`\ndemo: ended by ${signal}; removing what was built\n`)
      process.exit(128 + constants.signals[signal])
    })
  }
  // Nobody reads any more (`npm run demo | head`): the same, without a word.
  process.stdout.on('error', () => { process.exit(128 + constants.signals.SIGPIPE) })
}

async function main(): Promise<number> {
  const other = otherThanDemo(process.argv.slice(2))
  if (other !== undefined) {
    const output = other.code === 0 ? process.stdout : process.stderr
    output.write(other.text)
    return other.code
  }
  endOnSignals()
  const screen = new Screen(process.stdout)
  await runDemo(screen)
  screen.summarize()
  return screen.allPassed ? 0 : 1
}

process.exitCode = await main()
