import type { FastifyReply, FastifyRequest, HookHandlerDoneFunction } from 'fastify'
import { PincallError } from '../errors.ts'
import type { Authenticate } from './authenticate.ts'
import type { Caller } from './types.ts'

type Hook = (request: FastifyRequest, reply: FastifyReply, done: HookHandlerDoneFunction) => void

export type Guard = {
  /** Lets in who has one of the scopes, before a byte of the body is read. */
  scopes(scopes: readonly string[]): { onRequest: Hook }
  /** Lets in who has the account's own login, by whatever scheme: what makes keys must not be done with a key. */
  login(): { onRequest: Hook }
}

export function makeGuard(authenticate: Authenticate): Guard {
  const hook = (check: (caller: Caller) => PincallError | undefined): { onRequest: Hook } => ({
    onRequest(request, _reply, done) {
      const enter = (caller: Caller) => {
        const refusal = check(caller)
        if (refusal) return done(refusal)
        request.caller = caller
        done()
      }
      try {
        const caller = authenticate(request.headers.authorization, request.ip)
        if (caller instanceof Promise) caller.then(enter, done)
        else enter(caller)
      } catch (error) {
        done(error as Error)
      }
    },
  })
  return {
    scopes: (scopes) =>
      hook((caller) =>
        scopes.some((scope) => caller.scopes.has(scope))
          ? undefined
          : forbidden(`this API key has not the scope, which is ${scopes.join(' or ')}`),
      ),
    login: () =>
      hook((caller) =>
        caller.by === 'key' ? forbidden('API keys are made with the account’s login, not with a key') : undefined,
      ),
  }
}

const forbidden = (why: string): PincallError => new PincallError('forbidden', `Unauthorized access: ${why}.`)
