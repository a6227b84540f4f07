import { PincallError } from '../errors.ts'
import { sentenceOf } from './validation-errors.ts'

/** Collects what is wrong with a request beyond its schema, so that all of it is told at once. */
export class Problems {
  #fields: Record<string, string[]> = {}

  add(field: string, sentence: string): void {
    this.#fields[field] = [...(this.#fields[field] ?? []), sentence]
  }

  /** Throws where anything was added. */
  raise(): void {
    if (Object.keys(this.#fields).length === 0) return
    throw new PincallError('invalid', sentenceOf(this.#fields), { fields: this.#fields })
  }
}
