import { parentPort } from 'node:worker_threads';

/** A thread that does what it is told. */
export type Order = 'answer' | 'hang' | 'die' | 'throw';

parentPort?.on('message', (order: Order) => {
  if (order === 'hang') while (parentPort);
  if (order === 'die') process.exit(1);
  if (order === 'throw') throw new Error('as told');
  parentPort?.postMessage(order);
});
