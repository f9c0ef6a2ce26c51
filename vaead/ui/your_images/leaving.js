(wouldLose) => {
  // The other pages of the app are drawn into the same document, so this is not called between them.
  window.vaeadLeaving ??= (event) => event.preventDefault();
  window.removeEventListener("beforeunload", window.vaeadLeaving);
  if (wouldLose) window.addEventListener("beforeunload", window.vaeadLeaving);
}
