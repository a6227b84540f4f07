/** CORS as it was recorded of the real service (contract §6): browsers called version 1 directly. */
export const CORS_HEADERS = {
  'access-control-allow-origin': '*',
  'access-control-allow-methods': 'GET, POST, PUT, PATCH, DELETE, COPY, HEAD, OPTIONS, LINK, UNLINK, PURGE',
  'access-control-allow-headers': 'Authorization, Content-Type',
} as const
