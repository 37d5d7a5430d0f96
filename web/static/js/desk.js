// The supervisor's desk: keyboard and news.
import { keyboard } from "./keyboard.js";
import { listen } from "./live.js";
import { follow } from "./menu.js";

keyboard();
if (document.querySelector("[hx-trigger*='live:'], [data-live]")) {
  listen();
  follow();
}
