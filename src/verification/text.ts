import { invalid } from '../errors.ts'

/** Names in a template other than the code's own. */
export function placeholdersOf(text: string): string[] {
  return [...text.matchAll(/\{\{\s*([\w.-]+)\s*\}\}/g)].map((match) => match[1]).filter((name) => name !== 'pin')
}

/**
 * A template's text with everything but the code filled in; the code's place is `{{pin}}` whatever the template called
 * it. A placeholder that was not given is a mistake of the caller: a person would hear or read the braces.
 */
export function fillText(
  template: { text: string; placeholder: string },
  placeholders: Record<string, string> = {},
): string {
  const text = template.text.replaceAll(template.placeholder, '{{pin}}')
  for (const name of placeholdersOf(text)) {
    if (!Object.hasOwn(placeholders, name)) {
      throw invalid(`placeholders.${name}`, 'is used by the message template: give it a value')
    }
  }
  return text.replace(/\{\{\s*([\w.-]+)\s*\}\}/g, (whole, name) =>
    name === 'pin' ? '{{pin}}' : (placeholders[name] ?? whole),
  )
}
