// What a control command is, and how a request finds and runs one: the rules and the error texts of Open vSwitch's unixctl.

/** A command of the control socket. The answer is text; the newline at its end may be left out. */
export interface Command {
  readonly name: string
  /** Arguments as `list-commands` shows them; a command without is not listed. */
  readonly usage?: string
  /** Fewest and most arguments. */
  readonly min: number
  readonly max: number
  run(args: readonly string[]): string | Promise<string>
}

/** Thrown by a command to answer with an error instead of a result. */
export class ControlError extends Error {}

/** Commands by name. */
export type CommandTable = ReadonlyMap<string, Command>

/** The table of some commands. Throws when two have the same name. */
export function commandTable(commands: readonly Command[]): CommandTable {
  const table = new Map(commands.map(command => [command.name, command]))
  if (table.size !== commands.length) throw new Error('two control commands with the same name')
  return table
}

/** Runs one request. Throws ControlError with Open vSwitch's words for what it refuses before a command runs. */
export async function runCommand(table: CommandTable, name: string, params: readonly unknown[]): Promise<string> {
  const command = table.get(name)
  if (command === undefined) {
    throw new ControlError(`"${name}" is not a valid command (use "list-commands" to see a list of valid commands)`)
  }
  if (params.length < command.min) throw new ControlError(`"${name}" command requires at least ${command.min} arguments`)
  if (params.length > command.max) throw new ControlError(`"${name}" command takes at most ${command.max} arguments`)
  if (!params.every(param => typeof param === 'string')) throw new ControlError(`"${name}" command has non-string argument`)
  return await command.run(params)
}

/** The commands that are listed, in the order of their names. */
export function listedCommands(table: CommandTable): { readonly name: string, readonly usage: string }[] {
  return [...table.values()]
    .flatMap(({ name, usage }) => (usage === undefined ? [] : [{ name, usage }]))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** The answer of `list-commands`, in the layout of Open vSwitch. */
export function formatCommandList(table: CommandTable): string {
  return 'The available commands are:\n' + listedCommands(table).map(({ name, usage }) => `  ${name.padEnd(23)} ${usage}\n`).join('')
}
