// Everything here is comfort: each page works without it.
import "./copy.js";
import "./keys.js";
import "./menus.js";
import "./theme.js";
