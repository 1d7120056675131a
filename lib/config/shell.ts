// Commands as they are printed for an operator to type: names come from the database and the kernel, where anybody may have made them
// up, so that what a shell would take for more than a word is quoted.

/** One word of a command line. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll('\'', `'\\''`)}'`
}

/** A template in which each value is one word. */
export function command(texts: TemplateStringsArray, ...values: readonly (string | number)[]): string {
  return texts.map((text, at) => text + (at < values.length ? shellWord(String(values[at])) : '')).join('')
}
