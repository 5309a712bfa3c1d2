/** A thumb, up or down; drawn, since not every machine has a font with it. */
export function Thumb({ down = false }: { down?: boolean }) {
  return (
    <svg class="thumb" viewBox="0 0 24 24" aria-hidden="true" data-down={down}>
      <path d="M7 11v9H3v-9zM7 11l4-8c2 0 3 1 3 3l-1 4h6a2 2 0 0 1 2 2l-1.5 6.500a2 2 0 0 1-2 1.500H7" />
    </svg>
  )
}
