// What pages can do more with a script: all of them work without it.
"use strict";
(() => {
  const $ = (selector, within = document) => within.querySelector(selector);
  const $$ = (selector, within = document) => [...within.querySelectorAll(selector)];
  const isTyping = (element) => element && (/^(INPUT|TEXTAREA|SELECT)$/.test(element.tagName) || element.isContentEditable);

  // Copying. The clipboard's own interface is there with TLS and on loopback alone; the older way is there without.
  const copy = async (text) => {
    if (navigator.clipboard && window.isSecureContext) return navigator.clipboard.writeText(text);
    const area = document.createElement("textarea");
    area.value = text;
    area.className = "skip";
    document.body.append(area);
    area.select();
    const isDone = document.execCommand("copy");
    area.remove();
    if (!isDone) throw new Error("copy");
  };
  const prepare = (within) => {
    for (const button of $$("[data-copy]", within)) button.hidden = false;
  };
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (button) {
      const label = button.dataset.label || (button.dataset.label = button.textContent);
      try {
        await copy(button.dataset.copy);
        button.textContent = "Copied";
      } catch {
        button.textContent = "Select it by hand";
      }
      setTimeout(() => { button.textContent = label; }, 1500);
    }
    const menu = $(".account-menu[open]");
    if (menu && !menu.contains(event.target)) menu.open = false;
  });

  // A form that was sent is not sent twice.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post") return;
    if (form.dataset.sent) return event.preventDefault();
    form.dataset.sent = "yes";
    setTimeout(() => { delete form.dataset.sent; }, 8000);
  });
  window.addEventListener("pageshow", () => { for (const form of $$("form[data-sent]")) delete form.dataset.sent; });

  // What was done is told once: the address without it is what one comes back to.
  if ($("[data-notice]")) {
    const address = new URL(location.href);
    address.searchParams.delete("done");
    history.replaceState(null, "", address);
  }
  const wrong = $("[aria-invalid]");
  if (wrong) wrong.focus();

  // Live parts: one source of events a page, closed while nobody looks.
  let source = null;
  const asParsed = (html) => {
    const template = document.createElement("template");
    template.innerHTML = html;
    return template.innerHTML;
  };
  // What each part was when the server sent it, before anything was done to it here.
  const known = new Map($$("[data-part]").map((part) => [part.id, part.innerHTML]));
  const swap = ({ id, html }) => {
    const part = document.getElementById(id);
    const parsed = asParsed(html);
    if (!part || known.get(id) === parsed) return;
    // What somebody is at is left alone: it comes with the next change.
    if (part.contains(document.activeElement) && document.activeElement !== document.body) return;
    known.set(id, parsed);
    const opened = $$("details[open]", part).map((element) => $$("details", part).indexOf(element));
    const places = $$(".scroll", part).map((element) => element.scrollLeft);
    part.innerHTML = html;
    for (const index of opened) { const element = $$("details", part)[index]; if (element) element.open = true; }
    $$(".scroll", part).forEach((element, index) => { element.scrollLeft = places[index] || 0; });
    prepare(part);
    part.classList.remove("changed");
    requestAnimationFrame(() => part.classList.add("changed"));
  };
  const follow = () => {
    if (!("live" in document.body.dataset) || source || document.hidden) return;
    source = new EventSource(location.pathname + location.search);
    source.onmessage = (event) => swap(JSON.parse(event.data));
  };
  const leave = () => {
    if (source) source.close();
    source = null;
  };
  document.addEventListener("visibilitychange", () => (document.hidden ? leave() : follow()));
  window.addEventListener("pagehide", leave);
  window.addEventListener("pageshow", follow);

  // A short name is looked at while it is typed.
  const slug = $("[data-slug]");
  if (slug) {
    const said = document.createElement("p");
    said.className = "said";
    said.setAttribute("role", "status");
    slug.after(said);
    let timer = 0;
    const tell = (text, look) => { said.textContent = text; said.className = `said ${look}`; };
    slug.addEventListener("input", () => {
      clearTimeout(timer);
      const name = slug.value.trim();
      if (!name) return tell("", "");
      if (!/^[a-z][a-z0-9-]{1,39}$/.test(name)) return tell("2 to 40 of a to z, 0 to 9 and hyphens, a letter first.", "bad");
      timer = setTimeout(async () => {
        const answer = await fetch(`/tenants/${encodeURIComponent(name)}.json`, { headers: { Accept: "application/json" } });
        if (slug.value.trim() !== name) return;
        if (answer.ok) tell("You have a chatbot of this name.", "bad");
        else if (answer.status === 404) tell("This name can be tried.", "good");
        else tell("", "");
      }, 250);
    });
  }

  // A file is dropped onto its field.
  for (const field of $$("[data-drop]")) {
    const form = field.closest("form");
    const mark = (isOver) => (event) => {
      event.preventDefault();
      field.classList.toggle("over", isOver);
    };
    form.addEventListener("dragover", mark(true));
    form.addEventListener("dragleave", mark(false));
    form.addEventListener("drop", (event) => {
      mark(false)(event);
      if (!event.dataTransfer.files.length) return;
      const one = new DataTransfer();
      one.items.add(event.dataTransfer.files[0]);
      field.files = one.files;
      field.dispatchEvent(new Event("change"));
    });
  }

  // The palette: pages of the navigation and of this page, and chatbots by name.
  const palette = $("#palette");
  const input = $("#palette-input");
  const list = $("#palette-list");
  if (palette && typeof palette.showModal === "function") {
    const opener = $("[data-palette]");
    const places = $$(".side a, .tabs a, .page-actions a").map((link) => ({ name: link.textContent.trim(), path: link.getAttribute("href") }));
    const ownsList = places.some((place) => place.path === "/tenants");
    let entries = [];
    let chosen = 0;
    let asked = 0;
    const choose = (index) => {
      chosen = Math.max(0, Math.min(index, entries.length - 1));
      $$("li", list).forEach((item, place) => {
        item.setAttribute("aria-selected", String(place === chosen));
        if (place === chosen) { input.setAttribute("aria-activedescendant", item.id); item.scrollIntoView({ block: "nearest" }); }
      });
    };
    const show = (found) => {
      entries = found;
      list.replaceChildren(...found.map((entry, index) => {
        const item = document.createElement("li");
        item.id = `palette-${index}`;
        item.setAttribute("role", "option");
        item.textContent = entry.name;
        item.addEventListener("click", () => { location.href = entry.path; });
        return item;
      }));
      choose(0);
    };
    const search = async () => {
      const words = input.value.trim().toLowerCase();
      const pages = places.filter((place) => place.name.toLowerCase().includes(words)).slice(0, 8);
      show(pages);
      const turn = ++asked;
      if (!words || !ownsList) return;
      const answer = await fetch(`/tenants.json?limit=8&q=${encodeURIComponent(words.slice(0, 200))}`);
      if (!answer.ok || turn !== asked) return;
      const { data } = await answer.json();
      show([...pages, ...data.map((row) => ({ name: `${row.display_name} (${row.slug})`, path: `/tenants/${encodeURIComponent(row.slug)}` }))]);
    };
    const open = () => {
      input.value = "";
      search();
      palette.showModal();
      input.focus();
    };
    opener.hidden = false;
    opener.addEventListener("click", open);
    input.addEventListener("input", search);
    input.addEventListener("keydown", (event) => {
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        choose(chosen + (event.key === "ArrowDown" ? 1 : -1));
      } else if (event.key === "Enter") {
        event.preventDefault();
        if (entries[chosen]) location.href = entries[chosen].path;
      }
    });
    document.addEventListener("keydown", (event) => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
        event.preventDefault();
        if (!palette.open) open();
      }
    });
  }

  // Keys: / searches, g and a letter goes to a page, ? helps.
  let isGoing = false;
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || $("dialog[open]")) return;
    if (isGoing) {
      isGoing = false;
      const link = $(`[data-key="${CSS.escape(event.key)}"]`);
      if (link) { event.preventDefault(); link.click(); }
      return;
    }
    if (event.key === "/") {
      const field = $("[data-search]") || $("main input[type=search]");
      if (field) { event.preventDefault(); field.focus(); field.select(); }
    } else if (event.key === "g") {
      isGoing = true;
      setTimeout(() => { isGoing = false; }, 1500);
    } else if (event.key === "?") {
      event.preventDefault();
      $("#keys").showModal();
    }
  });

  prepare(document);
  follow();
})();
