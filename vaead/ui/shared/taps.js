() => {
  // Plotly selects what the pointer hovers over, and a finger never hovers: its first tap would select nothing.
  window.vaeadTaps ??= document.addEventListener("touchstart", ({ target, touches }) => {
    if (touches.length !== 1 || !target.classList?.contains("nsewdrag")) return;
    const { clientX, clientY } = touches[0];
    target.dispatchEvent(new MouseEvent("mousemove", { clientX, clientY, bubbles: true }));
  }, { capture: true, passive: true }) ?? true;
}
