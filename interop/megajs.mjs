// Drives megajs: `node megajs.mjs VERB [ARGUMENT…]`, with GATEWAY, EMAIL and PASSWORD in the environment.
// Prints one JSON value.
import { createReadStream, createWriteStream, mkdirSync, readdirSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, join } from 'node:path'
import { pipeline } from 'node:stream/promises'

const require = createRequire(join(process.env.PEERS, 'package.json'))
const megajs = require('megajs')
const { Storage, File, API } = megajs.Storage ? megajs : megajs.default

const gateway = process.env.GATEWAY
const [verb, ...args] = process.argv.slice(2)

const login = () => new Storage({
  gateway, email: process.env.EMAIL, password: process.env.PASSWORD, keepalive: false
}).ready

const at = (storage, path) => {
  let node = storage.root
  for (const name of path.split('/').filter(Boolean)) {
    const found = (node.children ?? []).filter(child => child.name === name)
    if (found.length !== 1) throw Error(`${path}: ${found.length} nodes`)
    node = found[0]
  }
  return node
}

const put = async (folder, path) => {
  const size = statSync(path).size
  const upload = folder.upload({ name: basename(path), size }, size === 0 ? Buffer.alloc(0) : undefined)
  if (size > 0) createReadStream(path).pipe(upload)
  return (await upload.complete).nodeId
}

const get = async (file, path) => {
  await pipeline(file.download({}), createWriteStream(path))
}

const verbs = {
  async login () { const s = await login(); return s.name !== undefined },
  async list (path) { return (at(await login(), path).children ?? []).map(child => child.name) },
  async mkdir (path) {
    const storage = await login()
    const parent = at(storage, path.split('/').slice(0, -1).join('/'))
    await parent.mkdir(path.split('/').pop())
    return true
  },
  async putdir (local, remote) {
    const folder = at(await login(), remote)
    const results = {}
    for (const name of readdirSync(local)) {
      try { await put(folder, join(local, name)); results[name] = 'ok' } catch (error) { results[name] = String(error.message) }
    }
    return results
  },
  async getdir (remote, local) {
    mkdirSync(local, { recursive: true })
    const results = {}
    for (const file of at(await login(), remote).children ?? []) {
      try { await get(file, join(local, file.name)); results[file.name] = 'ok' } catch (error) { results[file.name] = String(error.message) }
    }
    return results
  },
  async rename (path, name) { await at(await login(), path).rename(name); return true },
  async move (path, folder) { const s = await login(); await at(s, path).moveTo(at(s, folder)); return true },
  async delete (path) { await at(await login(), path).delete(true); return true },
  async link (path) { return at(await login(), path).link({ noKey: false }) },
  async folderlink (path) { return at(await login(), path).shareFolder({}).then(url => url ?? null) },
  async fetchlink (url, local) {
    const file = File.fromURL(url)
    file.api = new API(false, { gateway })
    await file.loadAttributes()
    await get(file, local)
    return file.name
  }
}

try {
  console.log(JSON.stringify(await verbs[verb](...args)))
  process.exit(0)
} catch (error) {
  console.error(String(error.stack ?? error))
  process.exit(1)
}
