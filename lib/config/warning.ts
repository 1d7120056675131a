// What is told to the user about one bad value: always the record, the key, the value and the reason,
// so that one line is enough to find and mend it.

/** One rejected configuration item; everything else goes on. */
export interface Warning {
  /** Where it stands, as ovs-vsctl names it: `Interface vm1`, `Bridge br-int`, `Open_vSwitch .`. */
  readonly record: string
  readonly key: string
  readonly value: string
  readonly why: string
}

/** The one sentence for log and CLI. */
export function formatWarning(warning: Warning): string {
  return `${warning.record} external_ids:${warning.key}="${warning.value}": ${warning.why}`
}

/** Collects the warnings of one record while it is parsed. */
export type Warn = (key: string, value: string, why: string) => void
