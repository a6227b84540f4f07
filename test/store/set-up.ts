import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Store, Template } from '../../src/store/types.ts'
import { type Engine, makeWorld, newId, SETTINGS, START } from './world.ts'

export function setUpContract(engine: Engine): void {
  describe('applications and templates', () => {
    let store: Store
    before(async () => {
      store = await engine.open(await engine.freshPlace())
    })
    after(() => store.close())

    const fullTemplate = (world: { accountId: string; applicationId: string }): Template => ({
      templateId: newId('template'),
      applicationId: world.applicationId,
      accountId: world.accountId,
      pinType: 'ALPHANUMERIC',
      pinLength: 6,
      text: 'Grüezi {{firstName}}, <pin>',
      placeholder: '<pin>',
      sender: 'Acme',
      language: 'de',
      voiceName: 'Vicki',
      repeatDTMF: '1#',
      speechRate: 0.5,
      regional: { indiaDlt: { principalEntityId: 'p', contentTemplateId: 'c' } },
      createdAt: START + 1,
    })

    test('an application comes back as it was made and as it was changed', async () => {
      const { accountId, applicationId } = await makeWorld(store)
      const found = await store.findApplication(accountId, applicationId)
      assert.deepEqual(found?.settings, SETTINGS)
      const changed = { ...found!, name: 'log-in', enabled: false, settings: { ...SETTINGS, pinAttempts: 9 } }
      assert.equal(await store.updateApplication(changed), true)
      assert.deepEqual(await store.findApplication(accountId, applicationId), changed)
      assert.deepEqual(await store.listApplications(accountId), [changed])
    })

    test('a template keeps every field of the contract', async () => {
      const world = await makeWorld(store)
      const template = fullTemplate(world)
      await store.createTemplate(template)
      assert.deepEqual(await store.findTemplate(world.accountId, world.applicationId, template.templateId), template)
      const { voiceName: _gone, ...less } = { ...template, text: 'Salut <pin>' }
      assert.equal(await store.updateTemplate(less), true)
      assert.deepEqual(await store.findTemplate(world.accountId, world.applicationId, template.templateId), less)
      const listed = await store.listTemplates(world.accountId, world.applicationId)
      assert.deepEqual(
        listed.map(({ templateId }) => templateId),
        [world.templateId, template.templateId],
      )
    })

    test("another account's applications and templates are not found and can not be changed", async () => {
      const mine = await makeWorld(store)
      const other = await makeWorld(store)
      const application = (await store.findApplication(mine.accountId, mine.applicationId))!
      const template = (await store.findTemplate(mine.accountId, mine.applicationId, mine.templateId))!
      assert.equal(await store.findApplication(other.accountId, mine.applicationId), undefined)
      assert.equal(await store.findTemplate(other.accountId, mine.applicationId, mine.templateId), undefined)
      assert.equal(await store.updateApplication({ ...application, accountId: other.accountId, name: 'x' }), false)
      assert.equal(await store.updateTemplate({ ...template, accountId: other.accountId, text: 'x' }), false)
      assert.deepEqual(await store.listTemplates(other.accountId, mine.applicationId), [])
      assert.deepEqual(await store.loadForSend(other.accountId, mine.applicationId, mine.templateId), {})
      assert.deepEqual(await store.findApplication(mine.accountId, mine.applicationId), application)
    })

    test('a template of another application of the same account is not found', async () => {
      const mine = await makeWorld(store)
      const second = { ...(await store.findApplication(mine.accountId, mine.applicationId))! }
      second.applicationId = newId('application')
      await store.createApplication(second)
      assert.equal(await store.findTemplate(mine.accountId, second.applicationId, mine.templateId), undefined)
      const loaded = await store.loadForSend(mine.accountId, second.applicationId, mine.templateId)
      assert.deepEqual(loaded, { application: second })
    })

    test('a send finds its application and template in one read', async () => {
      const { accountId, applicationId, templateId } = await makeWorld(store)
      const { application, template } = await store.loadForSend(accountId, applicationId, templateId)
      assert.equal(application?.applicationId, applicationId)
      assert.equal(template?.templateId, templateId)
    })
  })
}
