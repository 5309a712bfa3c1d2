interface Props {
  label: string
  accept?: string
  disabled: boolean
  onChoose: (file: File) => void
}

/** A field to choose a file with; the same file may be chosen again. */
export function FileField({ label, accept = '', disabled, onChoose }: Props) {
  const choose = (event: { currentTarget: HTMLInputElement }) => {
    const file = event.currentTarget.files?.[0]
    event.currentTarget.value = ''
    if (file) onChoose(file)
  }
  return (
    <label>
      {label} <input type="file" accept={accept} disabled={disabled} onChange={choose} />
    </label>
  )
}
