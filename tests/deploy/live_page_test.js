// live_page_test.js FETCHLINE [DIRECTORY]: looks at the live page of a running job with a browser,
// and leaves screenshots in DIRECTORY. Exit code 77: no chromium, or no playwright-core.
'use strict';
const assert = require('assert');
const { spawn } = require('child_process');
const fs = require('fs');
const http = require('http');
const path = require('path');

let chromium;
try {
  ({ chromium } = require('playwright-core'));
} catch {
  console.log('skipped: no playwright-core');
  process.exit(77);
}
const browserPath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(fs.existsSync);
if (!browserPath) {
  console.log('skipped: no chromium');
  process.exit(77);
}
const [program, shots] = process.argv.slice(2);
const listening = (server) => new Promise((resolve) => {
  server.listen(0, '127.0.0.1', () => resolve(server.address().port));
});

async function freePort() {
  const probe = http.createServer();
  const port = await listening(probe);
  await new Promise((resolve) => { probe.close(resolve); });
  return port;
}

// Until it does not throw, 30 s at most.
async function eventually(what) {
  for (let tries = 0; ; ++tries) {
    try {
      return await what();
    } catch (error) {
      if (tries >= 300) throw error;
      await new Promise((resolve) => { setTimeout(resolve, 100); });
    }
  }
}

// The page's policy forbids playwright's own way to wait for a text.
const shows = (page, where, text) => eventually(async () => assert.match(await page.textContent(where), text));

async function main() {
  const hanging = [];
  const origin = http.createServer((request, response) => {
    if (request.url.startsWith('/slow')) hanging.push(response);
    else response.end('ok');
  });
  const originPort = await listening(origin);
  const url = (target) => `http://user:secret@127.0.0.1:${originPort}${target}`;
  const port = await freePort();
  const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('FETCHLINE_')));
  const job = spawn(program, ['-i', '-', '--http', `127.0.0.1:${port}`, '--progress', 'none'],
    { env: environment, stdio: ['pipe', 'ignore', 'inherit'] });
  const ended = new Promise((resolve) => { job.on('exit', resolve); });
  // A URL is a stranger's text: it stays text.
  const lines = [url('/a'), url('/slow?<img/src=x/onerror=document.title="broken">')];
  for (let i = 0; i < 1234; ++i) lines.push(url(`/${i}`));
  job.stdin.write(`${lines.join('\n')}\n`);

  const browser = await chromium.launch({ executablePath: browserPath, args: ['--no-sandbox'] });
  try {
    for (const colorScheme of ['light', 'dark']) {
      for (const [name, width] of [['desktop', 1280], ['phone', 390]]) {
        const page = await browser.newPage({ colorScheme, viewport: { width, height: 900 } });
        const complaints = [];
        page.on('pageerror', (error) => complaints.push(String(error)));
        page.on('console', (message) => { if (message.type() === 'error') complaints.push(message.text()); });
        await eventually(() => page.goto(`http://127.0.0.1:${port}/`)); // once it listens
        complaints.length = 0;
        await shows(page, '#collector', /1,234/);
        const why = await page.textContent('#why');
        assert.match(why, /^task 1 \(http:\/\/127\.0\.0\.1:\d+\/slow\?<img\/src=x\/onerror=.*, attempt 1\) runs at .* for \d+\.\d s$/);
        assert.match(await page.textContent('#progress'), /^1 done, 0 failed, \d+\.\d\/s$/);
        assert.ok(!(await page.content()).includes('secret'));
        assert.strictEqual(await page.locator('img').count(), 0);
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
        assert.ok(overflow <= 0, `${name}: ${overflow} px wider than the window`);
        if (shots) await page.screenshot({ path: path.join(shots, `${name}-${colorScheme}.png`), fullPage: true });
        // It is a favicon that browsers ask for without being told to.
        assert.deepStrictEqual(complaints.filter((text) => !text.includes('404')), []);
        await page.close();
      }
    }
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${port}/`);
    await shows(page, '#progress', /^1 done/);
    job.stdin.end();
    for (const response of hanging) response.end('late');
    assert.strictEqual(await ended, 0);
    await shows(page, '#state', /^has ended/);
    assert.match(await page.textContent('#progress'), /done/, 'what was seen last stays');
    if (shots) await page.screenshot({ path: path.join(shots, 'ended.png'), fullPage: true });
  } finally {
    await browser.close();
    job.kill('SIGKILL');
    origin.closeAllConnections();
    origin.close();
  }
  console.log('the page shows what the job does');
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
