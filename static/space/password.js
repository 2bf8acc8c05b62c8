// How hard a password is to guess, told while it is typed. Nothing of it leaves this page, which works without this file.
// The server judges by zxcvbn; this estimate finds what it finds (words, rows of a keyboard, sequences, repetitions,
// dates, the owner's name) with fewer guesses, never more: what is called strong here is taken there.
"use strict";

(() => {
  const LEAST_LENGTH = 12;
  const JUDGED = 64;
  const FAIR = 1e8;
  const STRONG = 1e11; // ten times what the server asks for
  const SHORTEST = 3;
  const LONGEST = 24;
  const GUESSES_OF_MARK = [1, 300, 3000];
  const ROWS = ["`1234567890-=", "qwertyuiop[]\\", "asdfghjkl;'", "zxcvbnm,./", "azertyuiop^$", "qsdfghjklmù*", "wxcvbn,;:!"];
  const GRAPH = ["`1234567890-=", " qwertyuiop[]\\", " asdfghjkl;'", " zxcvbnm,./"];
  const SHIFTED = '~!@#$%^&*()_+{}|:"<>?';
  const PLAIN = "`1234567890-=[]\\;',./";
  const LEET = {
    4: "a", "@": "a", 8: "b", "(": "c", "{": "c", "[": "c", "<": "c", 3: "e", 6: "g", 9: "g", 1: "il", "!": "i",
    "|": "il", 7: "lt", 0: "o", $: "s", 5: "s", "+": "t", "%": "x", 2: "z",
  };

  let words = null; // the filter, once it has come

  const fold = (text) => text.toLowerCase().normalize("NFKD").replace(/\p{M}/gu, "");

  const fnv = (bytes, start) => {
    let value = start;
    bytes.forEach((byte) => {
      value = Math.imul(value ^ byte, 0x01000193) >>> 0;
    });
    return value;
  };

  const holds = (text) => {
    const bytes = new TextEncoder().encode(text);
    const one = fnv(bytes, 0x811c9dc5);
    const two = (fnv(bytes, 0x01000193) | 1) >>> 0;
    for (let number = 0; number < words.hashes; number += 1) {
      const place = ((one + number * two) % 2 ** 32) % words.size;
      if (!(words.bits[place >> 3] & (1 << (place & 7)))) return false;
    }
    return true;
  };

  const guessesOfOwned = (text, known) => {
    const at = known.indexOf(text);
    return at >= 0 ? at + 1 : Infinity;
  };

  const guessesOfWord = (text, known) => {
    if (guessesOfOwned(text, known) < Infinity) return guessesOfOwned(text, known);
    if (!words || text.length < 4) return Infinity;
    const mark = [0, 1, 2].find((each) => holds(text + each));
    return mark === undefined ? Infinity : GUESSES_OF_MARK[mark];
  };

  // The readings of a text whose digits and signs stand for letters, with itself.
  const readings = (text) => {
    let found = [""];
    [...text].forEach((char) => {
      const stands = LEET[char] ?? "";
      found = found.flatMap((begun) => [...stands].map((letter) => begun + letter).concat(stands ? [] : begun + char));
      found = found.slice(0, 8);
    });
    return [...new Set(found)].filter((each) => each !== text && /^[a-z]+$/.test(each));
  };

  const turned = (text) => [...text].reverse().join("");

  const place = (char) => {
    const key = SHIFTED.includes(char) ? PLAIN[SHIFTED.indexOf(char)] : char;
    const row = GRAPH.findIndex((keys) => keys.includes(key));
    return row < 0 || key === " " ? null : [row, GRAPH[row].indexOf(key)];
  };

  // The way from one key to a neighbour of it, as a text; "" where it is none.
  const way = (one, other) => {
    const [a, b] = [place(one), place(other)];
    if (!a || !b) return "";
    const step = `${b[0] - a[0]},${b[1] - a[1]}`;
    return ["0,-1", "0,1", "-1,0", "-1,1", "1,-1", "1,0"].includes(step) ? step : "";
  };

  const choose = (all, some) => {
    let found = 1;
    for (let number = 1; number <= some; number += 1) found = (found * (all - number + 1)) / number;
    return found;
  };

  const guessesOfKeys = (length, turns) => {
    let found = 0;
    for (let keys = 2; keys <= length; keys += 1) {
      for (let turn = 1; turn <= Math.min(turns, keys - 1); turn += 1) {
        found += choose(keys - 1, turn - 1) * 47 * 4.596 ** turn;
      }
    }
    return found;
  };

  // Everything in the text that is found faster than letter by letter: [from, to, guesses].
  const patterns = (text, known, isPart) => {
    const found = [];
    const add = (from, to, count) => {
      found.push([from, to, Math.max(count, to - from < text.length ? 50 : 1)]);
    };
    for (let from = 0; from < text.length; from += 1) {
      for (let to = from + SHORTEST; to <= Math.min(text.length, from + LONGEST); to += 1) {
        const part = text.slice(from, to);
        const texts = /\s/.test(part) ? [] : [part, ...readings(part)];
        const ways = texts.flatMap((each) => (/^[a-z0-9]+$/.test(each) ? [each, turned(each)] : [each]));
        const count = Math.min(...ways.map((each) => guessesOfWord(each, known)), guessesOfOwned(part, known));
        if (count < Infinity) add(from, to, count);
        if (ROWS.some((row) => row.includes(part) || row.includes(turned(part)))) add(from, to, 10 * part.length);
      }
      let end = from + 1;
      let turns = 0;
      let before = "";
      for (let step = way(text[from], text[end] ?? ""); step; step = way(text[end - 1], text[end] ?? "")) {
        turns += step !== before;
        before = step;
        end += 1;
        if (end - from >= 3) add(from, end, guessesOfKeys(end - from, turns));
      }
      [1, -1, 2, -2, 3, -3, 4, -4, 5, -5, 0].forEach((step) => {
        let last = from + 1;
        while (last < text.length && text.charCodeAt(last) - text.charCodeAt(last - 1) === step) last += 1;
        if (last - from >= 3) add(from, last, 4 * (last - from));
      });
      // A block that comes again and again is as good as the block.
      for (let length = 1; !isPart && length <= (text.length - from) / 2; length += 1) {
        const block = text.slice(from, from + length);
        let times = 1;
        while (text.startsWith(block, from + length * times)) times += 1;
        if (times > 1) add(from, from + length * times, times * guesses(block, known, true));
      }
    }
    for (let from = 0; from < text.length; from += 1) {
      const date = /^\d{1,4}([\s/\\_.-])\d{1,2}\1\d{1,4}/.exec(text.slice(from));
      if (date) add(from, from + date[0].length, 5000);
    }
    [...text.matchAll(/\d{3,}/g)].forEach((run) => {
      for (let from = 0; from + 3 <= run[0].length; from += 1) {
        for (let to = from + 3; to <= Math.min(run[0].length, from + 8); to += 1) {
          add(run.index + from, run.index + to, { 3: 100, 4: 20 }[to - from] ?? 5000);
        }
      }
    });
    return found;
  };

  // The fewest guesses of any cutting of the text into patterns and rests, counted as zxcvbn does:
  // all guesses multiplied, by the orders of their parts, and ten thousand for each part more.
  const guesses = (whole, known, isPart = false) => {
    const text = whole.slice(0, JUDGED);
    if (!text.trim()) return 0;
    const found = patterns(text, known, isPart);
    const best = Array.from({ length: text.length + 1 }, () => new Map());
    best[0].set(0, 1);
    const reach = (from, to, factor) => {
      best[from].forEach((product, parts) => {
        if (parts >= 12) return;
        const next = product * factor;
        if (next < (best[to].get(parts + 1) ?? Infinity)) best[to].set(parts + 1, next);
      });
    };
    for (let to = 1; to <= text.length; to += 1) {
      for (let from = 0; from < to; from += 1) reach(from, to, 10 ** (to - from));
      found.forEach(([from, end, factor]) => {
        if (end === to) reach(from, to, factor);
      });
    }
    let least = Infinity;
    let orders = 1;
    for (let parts = 1; parts <= 12; parts += 1) {
      orders *= parts;
      const product = best[text.length].get(parts);
      if (product !== undefined) least = Math.min(least, orders * product + 10000 ** (parts - 1));
    }
    return least;
  };

  // As Django compares: how many characters two texts have in common, whatever their order.
  const likeness = (one, other) => {
    const left = new Map();
    [...other].forEach((char) => left.set(char, (left.get(char) ?? 0) + 1));
    let common = 0;
    [...one].forEach((char) => {
      if (left.get(char) > 0) {
        common += 1;
        left.set(char, left.get(char) - 1);
      }
    });
    return (2 * common) / (one.length + other.length);
  };

  const judge = (password, known) => {
    const length = [...password].length;
    if (length < LEAST_LENGTH) return "short";
    const lower = password.toLowerCase();
    const owned = known.flatMap((text) => [...text.toLowerCase().split(/[^\p{L}\p{N}_]+/u), text.toLowerCase()]);
    if (/^\d+$/.test(password) || owned.some((text) => text && likeness(lower, text) >= 0.7)) return "weak";
    const count = guesses(fold(password), known.map(fold).filter((text) => text.length > 2));
    if (count >= STRONG && words) return "strong";
    return count >= FAIR ? "fair" : "weak";
  };

  document.querySelectorAll("[data-strength]").forEach((holder) => {
    const field = document.getElementById(holder.dataset.strength);
    const known = JSON.parse(holder.dataset.known);
    const said = holder.querySelector(".strength__words");
    if (!field) return;
    const show = () => {
      const password = field.value;
      const level = password ? judge(password, known) : "";
      holder.hidden = !password;
      holder.dataset.level = level;
      const missing = LEAST_LENGTH - [...password].length;
      const sentence = level ? holder.dataset[level].replace("#", missing) : "";
      if (said.textContent !== sentence) said.textContent = sentence;
    };
    const load = async () => {
      const answer = await fetch(holder.dataset.words);
      if (!answer.ok) return;
      const buffer = await answer.arrayBuffer();
      const head = new DataView(buffer);
      words = { size: head.getUint32(0, true), hashes: head.getUint32(4, true), bits: new Uint8Array(buffer, 8) };
      show();
    };
    let isAsked = false;
    const ask = () => {
      if (isAsked) return;
      isAsked = true;
      load().catch(() => {});
    };
    let timer = 0;
    field.addEventListener("focus", ask);
    field.addEventListener("input", () => {
      ask();
      clearTimeout(timer);
      timer = setTimeout(show, 150); // a screen reader is not told of every key
    });
    field.setAttribute("aria-describedby", `${field.getAttribute("aria-describedby") ?? ""} ${said.id}`.trim());
    if (field.value) ask();
  });
})();
