/** The product's own logo, for the corner and wherever the account has none. */
export function Logo() {
  return (
    <svg viewBox="0 0 48 48" aria-hidden="true">
      <path
        fill="#FF6A0D"
        d="M25.2 3c1 6.4-2.4 9.4-5.4 13.2-2.6 3.3-4.3 6.2-4.3 9.9 0 6 4 10 9 10s9.4-3.8 9.4-9.8c0-4.4-2.1-7.2-3.8-9.4-.5 2-1.4 3.5-2.9 4.4.9-6.7-.7-14-2-18.3Z"
      />
      <path
        fill="#FFD23F"
        d="M25 20.5c.3 3-1.2 4.5-2.5 6.2-1.1 1.5-1.9 2.7-1.9 4.3 0 2.9 1.9 5.1 4.2 5.100s4.4-2 4.4-4.900c0-2-.9-3.4-1.7-4.5-.3.9-.8 1.6-1.4 2 .2-3-.3-6-1.1-8.200Z"
      />
      <path
        fill="none"
        stroke="#8A4B21"
        strokeWidth="4.5"
        strokeLinecap="round"
        d="M8 44 40 36.500M8 36.5 40 44"
      />
    </svg>
  );
}
