#!/usr/bin/env node
// node build/lint/containers.mjs [--dockerfile=PATH] [--compose=PATH] [--run-compose]
// Checks Dockerfile and docker-compose.yml; prints each finding, ends with 1 if there is one. A container engine is not needed.
// With --run-compose, docker-compose itself must accept the file too.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import dockerfileUtils from 'dockerfile-utils';
import { parse } from 'yaml';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const findings = [];
const find = (where, what) => findings.push(`${where}: ${what}`);

const given = (name) => process.argv.find((argument) => argument.startsWith(`--${name}=`))?.slice(name.length + 3);
const dockerfile = given('dockerfile') ?? join(root, 'Dockerfile');
const compose = given('compose') ?? join(root, 'docker-compose.yml');
lintDockerfile(readFileSync(dockerfile, 'utf8'));
lintCompose(parse(readFileSync(compose, 'utf8'), { merge: true }));
if (process.argv.includes('--run-compose')) runCompose();

for (const finding of findings) console.log(finding);
console.log(`${findings.length} findings in Dockerfile and docker-compose.yml`);
process.exit(findings.length > 0 ? 1 : 0);

function lintDockerfile(text) {
  for (const { range, message } of dockerfileUtils.validate(text, {})) find(`Dockerfile:${range.start.line + 1}`, message);

  const lines = text.split('\n').map((line) => line.trim());
  const lastStage = lines.slice(lines.findLastIndex((line) => line.startsWith('FROM ')));
  const user = lastStage.filter((line) => line.startsWith('USER ')).at(-1)?.slice(5).trim();
  if (!user || user === 'root' || user === '0') find('Dockerfile', 'the last stage runs as root: end it with USER');
  if (lines.some((line) => /^(ADD|COPY) \. /.test(line))) find('Dockerfile', 'copies the whole folder: any change would end every cached layer');

  // The restore layer must hold every project a service needs, or the restore fails where nobody looks.
  const restore = lines.findIndex((line) => line.includes('dotnet restore'));
  const copied = lines.slice(0, restore).filter((line) => line.startsWith('COPY ')).flatMap((line) => line.split(/\s+/).slice(1, -1));
  for (const service of readdirSync(join(root, 'services')))
    for (const project of projectsOf(`services/${service}/${service}.csproj`)) {
      const asWritten = project.replaceAll(service, '${SERVICE}');
      if (!copied.includes(project) && !copied.includes(asWritten)) find('Dockerfile', `restores ${service} without ${project}`);
    }
  if (lines.some((line) => /^(ENV|ARG)\b.*(PASSWORD|SECRET|API_?KEY|TOKEN)/i.test(line))) find('Dockerfile', 'puts a secret into a layer');
}

function projectsOf(project, seen = new Set()) {
  if (seen.has(project)) return seen;
  seen.add(project);
  for (const [, reference] of readFileSync(join(root, project), 'utf8').matchAll(/<ProjectReference Include="([^"]+)"/g))
    projectsOf(posix.normalize(posix.join(posix.dirname(project), reference.replaceAll('\\', '/'))), seen);
  return seen;
}

function lintCompose({ services, volumes = {}, secrets = {} }) {
  const names = new Set(Object.keys(services));
  const used = { volumes: new Set(), secrets: new Set() };
  for (const service of readdirSync(join(root, 'services')))
    if (!Object.values(services).some(({ build }) => build?.args?.SERVICE === service)) find('docker-compose.yml', `does not start ${service}`);

  for (const [name, service] of Object.entries(services)) {
    const at = `docker-compose.yml services.${name}`;
    const ours = Boolean(service.build);
    const limits = service.deploy?.resources?.limits;
    if (!limits?.memory || !limits?.cpus) find(at, 'has no limit of memory or cpus');
    if (!service.healthcheck?.test && !service.profiles) find(at, 'has no health check');
    if (service.privileged) find(at, 'is privileged');
    if (!(service.security_opt ?? []).includes('no-new-privileges:true')) find(at, 'may gain privileges: security_opt no-new-privileges:true');
    if (ours && !service.read_only) find(at, 'is not read-only');
    if (ours && !(service.cap_drop ?? []).includes('ALL')) find(at, 'keeps capabilities: cap_drop ALL');
    if (service.image && !/:.*\d/.test(service.image)) find(at, `image ${service.image} has no version`);
    for (const port of service.ports ?? []) if (!String(port).startsWith('127.0.0.1:')) find(at, `port ${port} is open to other machines`);
    for (const [other, { condition }] of Object.entries(service.depends_on ?? {})) {
      if (!names.has(other)) find(at, `depends on ${other}, which does not exist`);
      else if (condition === 'service_healthy' && !services[other].healthcheck) find(at, `waits for the health of ${other}, which has no check`);
    }
    if (ours && !(service.depends_on?.rabbitmq?.condition === 'service_healthy' && service.depends_on?.postgres?.condition === 'service_healthy')) find(at, 'does not wait for broker and database to be healthy');
    for (const [key, value] of Object.entries(service.environment ?? {}))
      if (/password|secret|apikey/i.test(key) && !/file$/i.test(key) || /password=/i.test(String(value))) find(at, `environment ${key} holds a secret: give a file`);
    for (const secret of service.secrets ?? []) {
      used.secrets.add(secret);
      if (!secrets[secret]?.file) find(at, `secret ${secret} is not declared as a file`);
    }
    for (const value of Object.values(service.environment ?? {}))
      for (const [, secret] of String(value).matchAll(/\/run\/secrets\/([\w-]+)/g))
        if (!(service.secrets ?? []).includes(secret)) find(at, `reads /run/secrets/${secret}, which is not mounted`);
    for (const volume of service.volumes ?? []) {
      const source = String(volume).split(':')[0];
      if (!source.startsWith('.')) {
        used.volumes.add(source);
        if (!(source in volumes)) find(at, `volume ${source} is not declared`);
      } else if (!source.startsWith('./deploy/secrets/') && !existsSync(join(root, source))) find(at, `mounts ${source}, which does not exist`);
      else if (!String(volume).endsWith(':ro')) find(at, `may write to ${source}`);
    }
  }
  for (const volume of Object.keys(volumes)) if (!used.volumes.has(volume)) find('docker-compose.yml', `volume ${volume} is used by nobody`);
  for (const secret of Object.keys(secrets)) if (!used.secrets.has(secret)) find('docker-compose.yml', `secret ${secret} is used by nobody`);

  inFreshCopy((folder) => {
    for (const [secret, { file }] of Object.entries(secrets)) if (!existsSync(join(folder, file))) find('deploy/make-secrets.sh', `does not write ${file} for the secret ${secret}`);
    for (const { volumes: mounted = [] } of Object.values(services))
      for (const volume of mounted) {
        const source = String(volume).split(':')[0];
        if (source.startsWith('./deploy/secrets/') && !existsSync(join(folder, source))) find('deploy/make-secrets.sh', `does not write ${source}`);
      }
  });
}

function runCompose() {
  // As a clone has it, and once its secrets and engines are made.
  inFreshCopy((folder) => accept(folder, 'in a fresh clone'), { secrets: false });
  inFreshCopy((folder) => accept(folder, 'after deploy/make-secrets.sh'));
}

function accept(folder, when) {
  const { status, stderr, error } = spawnSync('docker-compose', ['config', '-q'], { cwd: folder, encoding: 'utf8' });
  if (error) find('docker-compose', `cannot be started: ${error.message}. Debian: apt-get install docker-compose`);
  else if (status !== 0) find('docker-compose.yml', `${when}: ${stderr.trim()}`);
}

// The secrets belong to whoever runs the system; here they are made anew, beside copies of what reads them.
function inFreshCopy(check, { secrets = true } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'assay-compose-'));
  try {
    cpSync(compose, join(folder, 'docker-compose.yml'));
    cpSync(dockerfile, join(folder, 'Dockerfile'));
    cpSync(join(root, 'deploy'), join(folder, 'deploy'), { recursive: true, filter: (source) => !/deploy\/(secrets|engines\.env$)/.test(source) });
    if (!secrets) return void check(folder);
    const made = spawnSync('sh', [join(folder, 'deploy/make-secrets.sh')], { encoding: 'utf8' });
    if (made.status !== 0) find('deploy/make-secrets.sh', `ended with ${made.status}: ${made.stderr.trim()}`);
    else check(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
