// Packs what generate.mjs prints into vectors.txt: what is the same at many
// changes is said once.
//
//   change NUMBER ZONE SECONDS BEFORE AFTER
//   SCHEDULE|CRONER|CRON-PARSER|CHANGES
//
// Times are minutes after the change, "=" those of croner, "failed" where it
// threw. A run of three or
// more is FIRST+STEP*COUNT. Changes are numbers and ranges of them.

import {createInterface} from 'node:readline';

function runsOf(numbers) {
  const runs = [];
  for (let i = 0; i < numbers.length;) {
    const step = numbers[i + 1] - numbers[i];
    let end = i + 1;
    while (end < numbers.length && numbers[end] - numbers[end - 1] === step) {
      ++end;
    }
    if (end - i < 3) {
      runs.push(`${numbers[i++]}`);
    } else {
      runs.push(`${numbers[i]}+${step}*${end - i}`);
      i = end;
    }
  }
  return runs.join(',');
}

function rangesOf(numbers) {
  const ranges = [];
  for (let i = 0; i < numbers.length;) {
    let end = i;
    while (numbers[end + 1] === numbers[end] + 1) ++end;
    ranges.push(end > i ? `${numbers[i]}-${numbers[end]}` : `${numbers[i]}`);
    i = end + 1;
  }
  return ranges.join(',');
}

// "failed" where the implementation threw.
const minutes = (times) => times === 'failed' ? times :
    runsOf(times === '' ? [] : times.split(',').map((time) => time / 60));

const changes = new Map();
for await (const line of createInterface({input: process.stdin})) {
  if (line.startsWith('#')) {
    console.log(line);
    continue;
  }
  const [zone, at, before, after, schedule, croner, parser] = line.split('|');
  const key = [zone, at, before, after].join(' ');
  if (!changes.has(key)) {
    // Those of the same wall clock and weekday side by side: short ranges.
    const wall = new Date((+at + +before) * 1000).toISOString();
    const weekday = new Date((+at + +before) * 1000).getUTCDay();
    const order = [after - before, wall.slice(11), weekday, wall.slice(5)]
        .join(' ');
    changes.set(key, {key, order, lists: []});
  }
  changes.get(key).lists.push([schedule, minutes(croner), minutes(parser)]);
}

const compare = (a, b) => a < b ? -1 : a > b ? 1 : 0;
const sorted = [...changes.values()].sort(
    (a, b) => compare(a.order, b.order) || compare(a.key, b.key));
const groups = new Map();
sorted.forEach(({key, lists}, number) => {
  console.log(`change ${number} ${key}`);
  for (const [schedule, croner, parser] of lists) {
    const group = [schedule, croner, parser === croner ? '=' : parser].join('|');
    if (!groups.has(group)) groups.set(group, []);
    groups.get(group).push(number);
  }
});
for (const [group, numbers] of groups) {
  console.log(`${group}|${rangesOf(numbers)}`);
}
