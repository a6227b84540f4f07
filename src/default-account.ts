import { hashPassword, hashSecret, verifyPassword } from './api/index.ts'
import type { Settings } from './config.ts'
import type { Secrets } from './key-files.ts'
import { type Store, sealedNumbers, wrongMasterKey } from './store/index.ts'

/** The account that exists from the first start. */
export const DEFAULT_ACCOUNT = '00000000000000000000000000000001'

/** Makes the default account, its login and its key as the settings say, where they are not so already. */
export async function ensureDefaultAccount(
  store: Store,
  settings: Settings,
  secrets: Secrets,
  now: number,
): Promise<void> {
  const accountId = DEFAULT_ACCOUNT
  await store.ensureAccount({ accountId, name: 'default', createdAt: now }, settings.account.balanceMicros)
  const login = await store.findLogin(secrets.user)
  if (!login || !(await verifyPassword(secrets.password, login.passwordHash))) {
    await store.putLogin({ accountId, user: secrets.user, passwordHash: await hashPassword(secrets.password) })
  }
  const secretHash = hashSecret(secrets.apiKey)
  if (await store.findKey(secretHash)) return
  try {
    await store.createKey({
      keyId: secretHash.slice(0, 32).toUpperCase(),
      accountId,
      name: 'bootstrap',
      secretHash,
      enabled: true,
      scopes: ['2fa:manage'],
      permissions: ['ALL'],
      allowedIps: [],
      createdAt: now,
    })
  } catch (error) {
    if (!(await store.findKey(secretHash))) throw error // else another node that starts now was faster
  }
}

/** Refuses a master key that is not the one this database's codes and numbers were made with: every open PIN would be wrong. */
export async function rememberMasterKeys(store: Store, masterKeys: Secrets['masterKeys']): Promise<void> {
  for (const { name, keyId, fingerprint } of sealedNumbers(masterKeys).fingerprints) {
    if ((await store.rememberOnce(name, fingerprint)) !== fingerprint) throw wrongMasterKey(keyId)
  }
}
