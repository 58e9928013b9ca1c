// The one way from a page to the API: same session, CSRF token, problem details as errors.

export class Problem extends Error {
  constructor(status, body) {
    super(body.detail || "The server did not answer as it should.");
    this.status = status;
    this.code = body.code || "error";
    this.advice = body.advice || "";
    this.body = body;
  }

  get words() {
    const fields = (this.body.errors || []).map((e) => `${e.where.filter((part) => part !== "body").join(" ")}: ${e.what}`);
    return [sentence(this.message), ...fields.map(sentence), this.advice && sentence(this.advice)].filter(Boolean).join(" ");
  }
}

export function sentence(text) {
  const first = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?…]$/.test(first) ? first : `${first}.`;
}

export async function call(method, path, { json, form, handle, as = "json", signal } = {}) {
  const headers = { Accept: "application/json" };
  if (method !== "GET") headers["Countenance-CSRF"] = document.querySelector("meta[name=csrf]").content;
  if (json !== undefined) headers["Content-Type"] = "application/json";
  if (handle) headers["Countenance-Handle"] = handle;
  let answer;
  try {
    answer = await fetch(`/api/v1${path}`, {
      method,
      headers,
      signal,
      body: json !== undefined ? JSON.stringify(json) : form,
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(0, { detail: "the server cannot be reached", advice: "is it still running?" });
  }
  if (answer.status === 401) {
    location.assign("/enter");
    throw new Problem(401, { detail: "this browser is no longer signed in" });
  }
  if (!answer.ok) throw new Problem(answer.status, await answer.json().catch(() => ({})));
  return as === "blob" ? answer.blob() : answer.json();
}

// The door and one's own account: our own addresses beside the API, where 401 is an answer and not the end of a session.
export async function post(path, json) {
  const headers = { Accept: "application/json", "Content-Type": "application/json" };
  const csrf = document.querySelector("meta[name=csrf]");
  if (csrf) headers["Countenance-CSRF"] = csrf.content;
  let answer;
  try {
    answer = await fetch(path, { method: "POST", headers, body: JSON.stringify(json) });
  } catch {
    throw new Problem(0, { detail: "the server cannot be reached", advice: "is it still running?" });
  }
  if (!answer.ok) throw new Problem(answer.status, await answer.json().catch(() => ({})));
  return answer.status === 204 ? null : answer.json();
}

export function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

// A message that survives the reload which shows what was done.
export function reloadWith(message) {
  sessionStorage.setItem("flash", message);
  location.reload();
}

export function counted(n, one, many = `${one}s`) {
  return `${n.toLocaleString("en")} ${n === 1 ? one : many}`;
}
