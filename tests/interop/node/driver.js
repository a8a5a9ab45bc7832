'use strict';
// Runs producers and consumers of ali-ons on command. Standard input: one JSON object a line, {id, do, ...}.
// Standard output: {id, ok} or {id, error} for each, and {event} lines between them. The name server address is the
// first argument. This client offers single sends and push consumption only.

const readline = require('readline');
const { Producer, Consumer, Message } = require('ali-ons');

const nameSrv = process.argv[2];
const producers = new Map();
const consumers = new Map();
// Demanded by the client, used only when no name server address is given.
const httpclient = { request() { throw new Error('no look-up by HTTP here'); } };
const quiet = { debug() {}, info() {}, warn() {}, error(...words) { console.error(...words); } };

function print(line) {
  process.stdout.write(JSON.stringify(line) + '\n');
}

async function startProducer(command) {
  const producer = new Producer({
    nameSrv, httpclient, producerGroup: command.group, instanceName: command.name, logger: quiet, sendMsgTimeout: 10000,
  });
  producer.on('error', err => console.error(err));
  await producer.ready();
  producers.set(command.name, producer);
  return { clientId: producer.clientId };
}

function toMessage(topic, item) {
  const message = new Message(topic, item.tags, Buffer.from(item.body, 'base64'));
  if (item.keys !== undefined) message.keys = [ item.keys ];
  Object.assign(message.properties, item.properties);
  return message;
}

// What this client calls msgId is the broker's identifier, made of address and offset.
function toResult(result) {
  const queue = result.messageQueue;
  return [ result.sendStatus, null, result.msgId, queue.brokerName, Number(queue.queueId), Number(result.queueOffset) ];
}

// At most command.threads sends are in flight: 1 is the sequential way, more the asynchronous one.
async function send(command) {
  const producer = producers.get(command.name);
  const messages = command.messages.map(item => toMessage(command.topic, item));
  const results = new Array(messages.length);
  let next = 0;
  async function worker() {
    while (next < messages.length) {
      const at = next++;
      results[at] = toResult(await producer.send(messages[at]));
    }
  }
  const running = [];
  for (let i = 0; i < command.threads; i++) running.push(worker());
  await Promise.all(running);
  return results;
}

async function startPush(command) {
  const consumer = new Consumer({
    nameSrv, httpclient, consumerGroup: command.group, instanceName: command.name, logger: quiet,
    isBroadcast: command.model === 'BROADCASTING', consumeFromWhere: command.from,
    rebalanceInterval: 1000, // this client ignores the broker's notification that its group has changed
  });
  consumer.on('error', err => console.error(err));
  consumer.interopTopic = command.topic;
  consumer.subscribe(command.topic, command.expression, async (msg, queue) => {
    const properties = Object.assign({}, msg.properties);
    // The client makes a nameless property of the separator that ends the properties' text.
    delete properties[''];
    print({
      event: 'message', name: command.name, topic: msg.topic, brokerName: queue.brokerName, queueId: msg.queueId,
      queueOffset: Number(msg.queueOffset), msgId: properties.UNIQ_KEY || msg.msgId, offsetMsgId: msg.msgId,
      body: msg.body.toString('base64'), tags: msg.tags, keys: msg.keys, properties,
      reconsumeTimes: msg.reconsumeTimes, sysFlag: msg.sysFlag,
      bornTimestamp: Number(msg.bornTimestamp), storeTimestamp: Number(msg.storeTimestamp),
    });
  });
  await consumer.ready();
  consumers.set(command.name, consumer);
  return { clientId: consumer.clientId };
}

function queues(consumer) {
  return Array.from(consumer.processQueueTable.values())
    .map(item => item.messageQueue)
    .filter(queue => queue.topic === consumer.interopTopic)
    .map(queue => [ queue.brokerName, queue.queueId ]);
}

async function ask(command) {
  const consumer = consumers.get(command.name);
  switch (command.what) {
    case 'queues': return queues(consumer);
    case 'persist': return await consumer.persistConsumerOffset() === undefined;
    default: throw new Error('unknown question ' + command.what);
  }
}

async function stop(command) {
  const table = producers.has(command.name) ? producers : consumers;
  const client = table.get(command.name);
  table.delete(command.name);
  await client.close();
  return true;
}

const verbs = { producer: startProducer, send, push: startPush, ask, stop };

readline.createInterface({ input: process.stdin, crlfDelay: Infinity }).on('line', line => {
  const command = JSON.parse(line);
  verbs[command.do](command).then(
    ok => print({ id: command.id, ok }),
    err => print({ id: command.id, error: String(err) })
  );
}).on('close', () => process.exit(0));
