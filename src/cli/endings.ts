/** The eleven outcomes of version 1 that a call can have, and what each says to a person. */
export const SENTENCES: Record<string, string> = {
  PROCESSED: 'a person answered and the code was read to the end',
  PROCESSING: 'the call has no outcome yet',
  ANSWERED_MACHINE: 'a machine answered, so the code was not spoken',
  ERROR_USER_BUSY: 'the line was busy, or the call was declined',
  ERROR_NO_ANSWER: 'it rang and nobody answered',
  ERROR_NETWORK_NOT_AVAILABLE: 'the number is not in service',
  ERROR_ROUTE_NOT_AVAILABLE: 'no trunk could take the call',
  ERROR_NOT_ENOUGH_CREDITS: 'the balance cannot pay for the call, so nothing was dialled',
  ERROR: 'a fault on our side: the speech could not be made',
  BAD_REQUEST: 'this PIN may not be sent by a call now',
  UNDEFINED: 'it was answered, but the line ended before the code was read',
}

export type Ending = { handset: string; status: string }

/** What the last two digits of a number make a sandbox handset do. Any other ending: a person says hello and listens. */
export const ENDINGS: Record<string, Ending> = {
  90: { handset: 'voicemail: greeting, beep, silence', status: 'ANSWERED_MACHINE' },
  91: { handset: 'busy', status: 'ERROR_USER_BUSY' },
  92: { handset: 'rings, nobody answers', status: 'ERROR_NO_ANSWER' },
  93: { handset: 'a number that is not in service', status: 'ERROR_NETWORK_NOT_AVAILABLE' },
  94: { handset: 'every trunk refuses', status: 'ERROR_ROUTE_NOT_AVAILABLE' },
  95: { handset: 'declines the call', status: 'ERROR_USER_BUSY' },
  96: { handset: 'answers and hangs up at once', status: 'UNDEFINED' },
  97: { handset: 'a long greeting, then presses the asked key', status: 'PROCESSED' },
  98: { handset: 'a silent person who presses the asked key', status: 'PROCESSED' },
  99: { handset: 'the speech for this call fails', status: 'ERROR' },
}

export const PERSON: Ending = { handset: 'a person who says hello and listens', status: 'PROCESSED' }

export const endingOf = (number: string): Ending => ENDINGS[number.slice(-2)] ?? PERSON
