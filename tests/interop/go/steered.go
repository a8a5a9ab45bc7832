package main

import (
	"context"
	"strconv"
	"time"

	rocketmq "github.com/apache/rocketmq-client-go/v2"
	"github.com/apache/rocketmq-client-go/v2/consumer"
	"github.com/apache/rocketmq-client-go/v2/primitive"
)

// startSteered starts a push consumer whose listener fails on command: it prints each message with the time at which
// it was handed it, and answers one whose property "fail" is a number with failure until it was tried that many times.
func startSteered(c *command) (interface{}, error) {
	this := &consuming{topic: c.Topic}
	remember := func(group, clientID string, queues []*primitive.MessageQueue, clients []string) []*primitive.MessageQueue {
		result := consumer.AllocateByAveragely(group, clientID, queues, clients)
		if len(queues) > 0 && queues[0].Topic == c.Topic {
			this.mutex.Lock()
			this.assigned = result
			this.mutex.Unlock()
		}
		return result
	}
	settings := append(options(c), consumer.WithStrategy(remember), consumer.WithConsumerOrder(c.Orderly),
		consumer.WithConsumeMessageBatchMaxSize(1))
	if c.Attempts != nil {
		settings = append(settings, consumer.WithMaxReconsumeTimes(int32(*c.Attempts)))
	}
	push, err := rocketmq.NewPushConsumer(settings...)
	if err != nil {
		return nil, err
	}
	name, orderly, suspend, level := c.Name, c.Orderly, c.Suspend, c.Level
	everything := consumer.MessageSelector{Type: consumer.TAG, Expression: "*"}
	err = push.Subscribe(c.Topic, everything, func(ctx context.Context, messages ...*primitive.MessageExt) (consumer.ConsumeResult, error) {
		m := messages[0]
		line := received(m, m.Queue.BrokerName)
		line["event"] = "message"
		line["name"] = name
		line["at"] = time.Now().UnixMilli()
		printLine(line)
		times, err := strconv.Atoi(m.GetProperty("fail"))
		if err != nil || int(m.ReconsumeTimes) >= times {
			return consumer.ConsumeSuccess, nil
		}
		if orderly {
			orderlyContext, _ := primitive.GetOrderlyCtx(ctx)
			orderlyContext.SuspendCurrentQueueTimeMillis = suspend
			return consumer.SuspendCurrentQueueAMoment, nil
		}
		concurrentContext, _ := primitive.GetConcurrentlyCtx(ctx)
		concurrentContext.DelayLevelWhenNextConsume = level
		return consumer.ConsumeRetryLater, nil
	})
	if err != nil {
		return nil, err
	}
	if err = push.Start(); err != nil {
		return nil, err
	}
	this.push = push
	consumers.Store(c.Name, this)
	return map[string]string{"clientId": ""}, nil
}
