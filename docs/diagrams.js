// Puts the diagrams into their page, so that the streams in them are links, text can be found, and
// colors follow the switch of the site. Without it, they are pictures.
if (location.protocol.startsWith("http")) {
  for (const image of document.querySelectorAll('a > img[src*="diagrams/"]')) {
    fetch(image.src)
      .then((response) => (response.ok ? response.text() : Promise.reject(response.status)))
      .then((text) => {
        const svg = new DOMParser().parseFromString(text, "image/svg+xml").documentElement;
        for (const link of svg.querySelectorAll("a")) {
          link.setAttribute("href", new URL(link.getAttribute("href"), image.src));
        }
        image.parentElement.replaceWith(svg);
      })
      .catch(() => {}); // the picture stays
  }
}
