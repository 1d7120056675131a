// GET from inside a namespace of the lab: any number of URLs with one program.
import type { Lab } from '../../lab/lab.js'

export interface Fetched {
  /** 0 when there was no answer; `body` says why. */
  readonly status: number
  readonly body: string
}

const PROGRAM = `
  const get = async (url) => {
    try {
      const response = await fetch(url)
      return { status: response.status, body: await response.text() }
    } catch (error) {
      return { status: 0, body: String(error.cause ?? error) }
    }
  }
  const answers = []
  for (const url of JSON.parse(process.argv[1])) answers.push(await get(url))
  process.stdout.write(JSON.stringify(answers))`

/** What each URL answers, in their order. */
export async function fetchAll(lab: Lab, host: string, urls: readonly string[]): Promise<Fetched[]> {
  return JSON.parse((await lab.exec(host, [process.execPath, '--input-type=module', '-e', PROGRAM, JSON.stringify(urls)])).stdout) as Fetched[]
}
