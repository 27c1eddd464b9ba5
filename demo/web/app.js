// The web client of the Summit twin: /signin, / and /explore (contract F). No framework, no build.
"use strict";

const FORM_WORKS = true;
const LIVE_DATA = true;
const TOKEN = "auth_token";
const TENANT = "synthetic";
const EXPLORE = "query explore { entities(limit: 100) { id type props } relationships { id from to type } }";
const MOCK = {
  entities: [
    { id: "mock-1", type: "Organization", props: { name: "Acme Analytics" } },
    { id: "mock-2", type: "Person", props: { name: "Jane Doe" } },
    { id: "mock-3", type: "Location", props: { name: "Harbour District" } },
    { id: "mock-4", type: "Organization", props: { name: "Globex Shipping" } },
    { id: "mock-5", type: "Person", props: { name: "Max Mustermann" } },
  ],
  relationships: [
    { id: "mock-rel-1", from: "mock-2", to: "mock-1", type: "WORKS_FOR" },
    { id: "mock-rel-2", from: "mock-1", to: "mock-3", type: "LOCATED_AT" },
    { id: "mock-rel-3", from: "mock-5", to: "mock-4", type: "OWNS" },
  ],
};
const COLOURS = { Organization: "#6aa9ff", Person: "#ffb86a", Location: "#6fe0b0", Vessel: "#c792ea" };
let user = null;

function element(tag, attributes = {}, ...children) {
  const svg = ["svg", "circle", "line", "text", "g"].includes(tag);
  const made = svg ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value !== null) made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

function go(path) {
  history.pushState(null, "", path);
  render();
}

function link(path, text) {
  const here = location.pathname === path ? "page" : null;
  const follow = (event) => {
    event.preventDefault();
    go(path);
  };
  return element("a", { href: path, "aria-current": here, onclick: follow }, text);
}

async function signIn(email, password) {
  const answer = await fetch("/auth/login", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ email, password }),
  });
  const body = await answer.json();
  // The server says `error`, the client reads `message`: every failure is "Login failed".
  if (!answer.ok) throw new Error(body.message || "Login failed");
  localStorage.setItem(TOKEN, body.token);
  user = body.user;
}

function signInPage() {
  const problem = element("p", { class: "problem", role: "alert", hidden: "" });
  const email = element("input", { id: "email", type: "email", required: "", autocomplete: "username" });
  const password = element("input", { id: "password", type: "password", required: "", minlength: "8" });
  const button = element("button", { type: "submit" }, "Initialize Session");
  email.value = "analyst@demo.intelgraph.example";
  password.value = "demo-password";
  const submit = async (event) => {
    event.preventDefault();
    if (!FORM_WORKS) return;
    problem.hidden = true;
    button.disabled = true;
    button.textContent = "Verifying...";
    try {
      await signIn(email.value, password.value);
      go("/");
    } catch (error) {
      problem.textContent = `Access Denied: ${error.message || "Login failed"}`;
      problem.hidden = false;
      button.disabled = false;
      button.textContent = "Initialize Session";
    }
  };
  return element("main", { "aria-label": "Operational Access", class: "access" },
    element("form", { class: "card", onsubmit: submit },
      element("p", { class: "brand" }, "IntelGraph"),
      element("h2", {}, "Operational Access"),
      element("label", { for: "email" }, "Operator Identifier (Email)"), email,
      element("label", { for: "password" }, "Access Key (Password)"), password,
      problem, button));
}

function layout(...content) {
  const leave = () => {
    localStorage.removeItem(TOKEN);
    user = null;
    go("/signin");
  };
  return element("div", { class: "platform" },
    element("header", {},
      element("h1", {}, "IntelGraph Platform"),
      element("nav", { "aria-label": "Main" }, link("/", "Home"), link("/explore", "Explore")),
      element("span", { class: "who" }, user.email),
      element("button", { type: "button", class: "quiet", onclick: leave }, "Sign out")),
    element("main", {}, ...content));
}

function homePage() {
  const action = (title, line, path) =>
    element("a", { class: "card action", href: path, onclick: (event) => { event.preventDefault(); go(path); } },
      element("strong", {}, title), element("span", {}, line));
  return layout(
    element("h2", {}, `Welcome back, ${user.firstName}`),
    element("p", { class: "lead" }, "Here's what's happening with your intelligence operations"),
    element("section", { class: "card" }, element("h3", {}, "Live intelligence"),
      element("p", { class: "muted" }, "No live intelligence yet")),
    element("h3", {}, "Quick Actions"),
    element("section", { class: "actions" },
      action("Explore the graph", "Entities and how they are connected", "/explore"),
      action("Review cases", "Open inquiries of your tenant", "/cases"),
      action("Check alerts", "What changed since yesterday", "/alerts")));
}

async function fetchGraph() {
  const answer = await fetch("/graphql", {
    method: "POST",
    headers: {
      "content-type": "application/json",
      authorization: `Bearer ${localStorage.getItem(TOKEN)}`,
      "x-tenant-id": TENANT,
      "x-apollo-operation-id": "web.explore",
    },
    body: JSON.stringify({ operationName: "explore", query: EXPLORE }),
  });
  const body = await answer.json();
  return body.data;
}

async function graphOrMock() {
  // As in the source: whenever GraphQL yields nothing, the bundled data is drawn and nobody is told.
  if (!LIVE_DATA) return MOCK;
  try {
    const data = await fetchGraph();
    return data && data.entities.length ? data : MOCK;
  } catch {
    return MOCK;
  }
}

function drawing(entities, relationships) {
  const at = new Map();
  entities.forEach((entity, position) => {
    const angle = (2 * Math.PI * position) / Math.max(1, entities.length) - Math.PI / 2;
    at.set(entity.id, [450 + 290 * Math.cos(angle), 210 + 160 * Math.sin(angle)]);
  });
  const lines = relationships.filter((each) => at.has(each.from) && at.has(each.to)).map((each) => {
    const [[x1, y1], [x2, y2]] = [at.get(each.from), at.get(each.to)];
    return element("line", { x1, y1, x2, y2 });
  });
  const nodes = entities.map((entity) => {
    const [x, y] = at.get(entity.id);
    const anchor = x > 455 ? "start" : x < 445 ? "end" : "middle";
    const dx = anchor === "start" ? 14 : anchor === "end" ? -14 : 0;
    const dy = anchor === "middle" ? (y < 210 ? -16 : 24) : 4;
    return element("g", {}, element("circle", { cx: x, cy: y, r: 8, fill: COLOURS[entity.type] || "#9fb0c8" }),
      element("text", { x: x + dx, y: y + dy, "text-anchor": anchor }, entity.props.name || entity.id));
  });
  return element("svg", { viewBox: "0 0 900 420", role: "img", "aria-label": "Graph" }, ...lines, ...nodes);
}

function explorePage() {
  const search = element("input", { type: "search", placeholder: "Search entities...", "aria-label": "Search entities" });
  const stage = element("section", { class: "card stage" }, element("p", { class: "muted" }, "Loading graph data..."));
  const list = element("ul", { class: "entities", "aria-label": "Entities" });
  const show = (data) => {
    const wanted = search.value.trim().toLowerCase();
    const found = data.entities.filter((entity) => String(entity.props.name || "").toLowerCase().includes(wanted));
    stage.replaceChildren(found.length ? drawing(found.slice(0, 24), data.relationships)
      : element("p", { class: "muted" }, "No entities found"));
    list.replaceChildren(...found.map((entity) =>
      element("li", { class: "card" }, element("strong", {}, entity.props.name || entity.id),
        element("span", {}, entity.type))));
  };
  graphOrMock().then((data) => {
    search.addEventListener("input", () => show(data));
    show(data);
  }).catch(() => stage.replaceChildren(element("p", { class: "problem" }, "Failed to load graph data")));
  return layout(element("h2", {}, "Graph Explorer"), search, stage, list);
}

function emptyPage() {
  return layout(element("h2", {}, "Nothing here yet"), element("p", { class: "muted" }, "This view is not part of the twin."));
}

async function restore() {
  const token = localStorage.getItem(TOKEN);
  if (!token) return;
  try {
    // As in the source: the server has /auth/me, not /users/me, so a reload ends the session.
    const answer = await fetch("/users/me", { headers: { authorization: `Bearer ${token}` } });
    user = (await answer.json()).user;
  } catch {
    localStorage.removeItem(TOKEN);
  }
}

function render() {
  if (!user && location.pathname !== "/signin") history.replaceState(null, "", "/signin");
  const pages = { "/signin": signInPage, "/": homePage, "/explore": explorePage };
  document.getElementById("root").replaceChildren((pages[location.pathname] || emptyPage)());
}

window.addEventListener("popstate", render);
restore().then(render);
