// Prints what croner and cron-parser give around each clock change of each
// zone, 2024 to 2034, some 10 MB. A line is
//
//   zone|change|offset before|offset after|schedule|times|times
//
// the change in seconds since 1970, the times in seconds after it: croner's,
// then cron-parser's. Zones whose clocks change alike are looked at once.

import {readFileSync} from 'node:fs';

import {CronExpressionParser} from 'cron-parser';
import {Cron} from 'croner';

const BEGIN = Date.UTC(2024, 0, 1) / 1000;
const END = Date.UTC(2035, 0, 1) / 1000;
const DAY = 86400;

const schedules =
    readFileSync(
        new URL('../../service/schedule/testdata/schedules.txt', import.meta.url),
        'utf8')
        .split('\n')
        .filter((line) => line && !line.startsWith('#'))
        .map((line) => {
          const [before, after, ...fields] = line.split(' ');
          return {before: 60 * before, after: 60 * after, text: fields.join(' ')};
        });

// Seconds that the clock of `zone` is ahead of UTC.
const formats = new Map();
function offsetAt(zone, unix) {
  if (!formats.has(zone)) {
    formats.set(zone, new Intl.DateTimeFormat('en-US', {
      timeZone: zone, hourCycle: 'h23', year: 'numeric', month: 'numeric',
      day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric'}));
  }
  const part = Object.fromEntries(formats.get(zone)
      .formatToParts(unix * 1000).map(({type, value}) => [type, +value]));
  return Date.UTC(part.year, part.month - 1, part.day, part.hour, part.minute,
                  part.second) / 1000 - unix;
}

function changesOf(zone) {
  const changes = [];
  let before = offsetAt(zone, BEGIN);
  for (let day = BEGIN; day < END; day += DAY) {
    const after = offsetAt(zone, day + DAY);
    if (after === before) continue;
    let low = day;
    let high = day + DAY;
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (offsetAt(zone, middle) === before) low = middle; else high = middle;
    }
    changes.push({at: high, before, after});
    before = after;
  }
  return changes;
}

// The times in (begin, end], in seconds.
function ofCroner(text, zone, begin, end) {
  const cron = new Cron(text, {timezone: zone, paused: true});
  const times = [];
  for (let at = new Date(begin * 1000);;) {
    const next = cron.nextRun(at);
    if (!next || next.getTime() > end * 1000) return times;
    if (next <= at) throw new Error(`croner stands still: ${text} ${zone}`);
    times.push(next.getTime() / 1000);
    at = next;
  }
}

function ofParser(text, zone, begin, end) {
  const options = {tz: zone, currentDate: new Date(begin * 1000)};
  const cron = CronExpressionParser.parse(text, options);
  const times = [];
  for (;;) {
    const next = cron.next().getTime() / 1000;
    if (next > end) return times;
    if (times.length && next <= times.at(-1)) {
      throw new Error(`cron-parser stands still: ${text} ${zone}`);
    }
    times.push(next);
  }
}

console.log(`# tzdata ${process.versions.tz}`);
const seen = new Set();
for (const zone of Intl.supportedValuesOf('timeZone')) {
  const changes = changesOf(zone);
  const alike = JSON.stringify(changes);
  if (changes.length === 0 || seen.has(alike)) continue;
  seen.add(alike);
  for (const {at, before, after} of changes) {
    for (const one of schedules) {
      const lists = [ofCroner, ofParser].map((implementation) => {
        try {
          const times = implementation(one.text, zone, at - one.before,
                                       at + one.after);
          return times.map((time) => time - at).join(',');
        } catch (error) {
          return 'failed';
        }
      });
      console.log([zone, at, before, after, one.text, ...lists].join('|'));
    }
  }
}
