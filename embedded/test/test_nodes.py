# SPDX-License-Identifier: Apache-2.0
"""Nodes in one process: topics, services, timers, QoS, the graph."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
import rclpy
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.event_handler import SubscriptionEventCallbacks
from rclpy.exceptions import (
    InvalidHandle,
    InvalidTopicNameException,
    NotInitializedException,
    RCLError,
)
from rclpy.executors import ExternalShutdownException
from rclpy.qos import (
    DurabilityPolicy,
    QoSCompatibility,
    QoSPolicyKind,
    QoSPresetProfiles,
    QoSProfile,
    ReliabilityPolicy,
    qos_check_compatible,
    qos_profile_sensor_data,
)
from rclpy.serialization import deserialize_message, serialize_message
from rclpy.task import Future
from std_msgs.msg import String, UInt8MultiArray
from std_srvs.srv import SetBool, Trigger

LATCHED = QoSProfile(depth=3, durability=DurabilityPolicy.TRANSIENT_LOCAL)


def test_messages_arrive_with_their_info(make_node: Any, spin_until: Any) -> None:
    node = make_node(namespace='/ns')
    plain, with_info, raw = [], [], []
    node.create_subscription(String, 'chat', plain.append, 10)
    node.create_subscription(String, '/ns/chat', lambda m, i: with_info.append((m, i)), 10)
    node.create_subscription(String, 'chat', raw.append, 10, raw=True)
    publisher = node.create_publisher(String, 'chat', 10)
    assert publisher.topic_name == '/ns/chat'
    before = time.time_ns()
    for index in range(5):
        publisher.publish(String(data=f'message {index}'))
    publisher.publish(serialize_message(String(data='bytes')))
    spin_until(lambda: len(plain) == len(with_info) == len(raw) == 6)
    assert [message.data for message in plain[:5]] == [f'message {index}' for index in range(5)]
    assert plain[5].data == 'bytes'
    message, info = with_info[0]
    assert message.data == 'message 0'
    assert before <= info['source_timestamp'] <= info['received_timestamp']
    assert deserialize_message(raw[4], String).data == 'message 4'
    with pytest.raises(TypeError, match='Expected'):
        publisher.publish(Trigger.Request())
    assert publisher.get_subscription_count() == 3


def test_a_callback_needs_one_or_two_arguments(make_node: Any) -> None:
    with pytest.raises(RuntimeError, match='one argument'):
        make_node().create_subscription(String, 'chat', lambda: None, 10)


def test_large_messages_arrive_whole(make_node: Any, spin_until: Any) -> None:
    node = make_node()
    got: list[Any] = []
    node.create_subscription(UInt8MultiArray, 'big', got.append, 10)
    data = bytes(range(256)) * 12_000
    node.create_publisher(UInt8MultiArray, 'big', 10).publish(UInt8MultiArray(data=data))
    spin_until(lambda: got)
    assert got[0].data.tobytes() == data


def test_late_joiners_get_what_is_latched(make_node: Any, spin_until: Any) -> None:
    node = make_node()
    publisher = node.create_publisher(String, 'latched', LATCHED)
    for index in range(5):
        publisher.publish(String(data=str(index)))
    latched, volatile = [], []
    node.create_subscription(String, 'latched', latched.append, LATCHED)
    node.create_subscription(String, 'latched', volatile.append, 10)
    spin_until(lambda: len(latched) == 3)
    assert [message.data for message in latched] == ['2', '3', '4']
    publisher.publish(String(data='5'))
    spin_until(lambda: volatile)
    assert [message.data for message in volatile] == ['5']


def test_best_available_takes_what_is_offered(make_node: Any) -> None:
    node = make_node()
    node.create_publisher(String, 'a', qos_profile_sensor_data)
    node.create_publisher(String, 'b', LATCHED)
    best = QoSPresetProfiles.BEST_AVAILABLE.value
    a = node.create_subscription(String, 'a', lambda _: None, best).qos_profile
    b = node.create_subscription(String, 'b', lambda _: None, best).qos_profile
    assert a.reliability == ReliabilityPolicy.BEST_EFFORT
    assert a.durability == DurabilityPolicy.VOLATILE
    assert b.reliability == ReliabilityPolicy.RELIABLE
    assert b.durability == DurabilityPolicy.TRANSIENT_LOCAL


def test_incompatible_qos_is_told_on_both_sides(
    make_node: Any, spin_until: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    node = make_node('careful')
    told: list[Any] = []
    callbacks = SubscriptionEventCallbacks(incompatible_qos=told.append)
    node.create_publisher(String, 'chat', qos_profile_sensor_data)
    node.create_subscription(String, 'chat', lambda _: None, 10, event_callbacks=callbacks)
    node.create_subscription(String, 'chat', lambda _: None, 10)
    text = ''

    def both_are_told() -> bool:
        nonlocal text
        text += capfd.readouterr().err
        return bool(told) and 'offering incompatible' in text and 'requesting incompat' in text

    spin_until(both_are_told)
    assert told[0].last_policy_kind == QoSPolicyKind.RELIABILITY
    assert told[0].total_count == 1
    assert '[WARN]' in text
    assert "topic '/chat'" in text
    assert 'Last incompatible policy: RELIABILITY' in text


def test_compatibility_can_be_checked_beforehand() -> None:
    best_effort, reliable = qos_profile_sensor_data, QoSProfile(depth=1)
    assert qos_check_compatible(reliable, best_effort) == (QoSCompatibility.OK, '')
    verdict, reason = qos_check_compatible(best_effort, reliable)
    assert verdict == QoSCompatibility.ERROR
    assert 'Best effort' in reason
    assert qos_check_compatible(reliable, LATCHED)[0] == QoSCompatibility.ERROR


def test_services_answer_and_clients_keep_their_own_responses(
    make_node: Any, spin_until: Any
) -> None:
    node = make_node()

    async def set_bool(request: Any, response: Any) -> Any:
        response.success, response.message = not request.data, 'async'
        return response

    def trigger(request: Any, response: Any) -> Any:
        response.success, response.message = True, f'call {len(calls)}'
        calls.append(request)
        return response

    calls: list[Any] = []
    node.create_service(Trigger, 'do', trigger)
    node.create_service(SetBool, 'set', set_bool)
    first, second = (node.create_client(Trigger, 'do') for _ in range(2))
    other = node.create_client(SetBool, 'set')
    for client in (first, second, other):
        assert client.wait_for_service(5.0)
    futures = [first.call_async(Trigger.Request()), second.call_async(Trigger.Request())]
    futures += [first.call_async(Trigger.Request()), other.call_async(SetBool.Request())]
    spin_until(lambda: all(future.done() for future in futures))
    assert sorted(future.result().message for future in futures[:3]) == [
        'call 0',
        'call 1',
        'call 2',
    ]
    assert futures[3].result() == SetBool.Response(success=True, message='async')
    with pytest.raises(TypeError):
        first.call_async(SetBool.Request())
    assert not node.create_client(Trigger, 'nobody').wait_for_service(0.05)


def test_call_waits_in_another_thread(make_node: Any, executor: Any) -> None:
    node = make_node()
    node.create_service(Trigger, 'do', lambda _, response: response)
    client = node.create_client(Trigger, 'do', callback_group=ReentrantCallbackGroup())
    spinner = threading.Thread(target=executor.spin, daemon=True)
    spinner.start()
    assert client.wait_for_service(5.0)
    assert client.call(Trigger.Request(), timeout_sec=5.0) == Trigger.Response()
    with pytest.raises(TimeoutError):
        node.create_client(Trigger, 'nobody').call(Trigger.Request(), timeout_sec=0.05)
    executor.shutdown()
    spinner.join(5.0)
    assert not spinner.is_alive()


def test_a_service_appears_while_a_client_waits(make_node: Any) -> None:
    node = make_node()
    client = node.create_client(Trigger, 'later')
    timer = threading.Timer(
        0.2, lambda: node.create_service(Trigger, 'later', lambda _, response: response)
    )
    timer.start()
    assert client.wait_for_service(10.0)
    timer.join()


def test_timers_keep_their_rate_and_can_be_stopped(make_node: Any, spin_until: Any) -> None:
    node = make_node()
    calls: list[int] = []
    created_ns = time.monotonic_ns()
    timer = node.create_timer(0.02, lambda: calls.append(time.monotonic_ns()))
    spin_until(lambda: len(calls) == 10)
    assert calls[-1] - created_ns >= 10 * 20_000_000  # never faster than asked
    timer.cancel()
    assert timer.is_canceled()
    assert timer.time_until_next_call() is None
    count = len(calls)
    node.create_timer(0.05, lambda: calls.append(0))
    spin_until(lambda: calls[-1] == 0)
    assert len(calls) == count + 1
    timer.reset()
    spin_until(lambda: calls[-1] != 0)
    assert node.destroy_timer(timer)
    assert timer not in list(node.timers)
    with pytest.raises(InvalidHandle):
        _ = timer.handle


def test_a_late_timer_skips_calls_and_keeps_its_phase(make_node: Any) -> None:
    timer = make_node().create_timer(0.01, lambda: None)
    first_due = timer.due_ns
    time.sleep(0.055)
    assert timer.begin_call()
    assert (timer.due_ns - first_due) % 10_000_000 == 0
    assert timer.due_ns > time.monotonic_ns() - 10_000_000
    assert not timer.begin_call()


def test_rates_sleep_while_somebody_spins(make_node: Any, executor: Any) -> None:
    began = time.monotonic()
    rate = make_node().create_rate(50.0)
    spinner = threading.Thread(target=executor.spin, daemon=True)
    spinner.start()
    for _ in range(5):
        rate.sleep()
    assert time.monotonic() - began >= 4 * 0.02
    executor.shutdown()
    spinner.join(5.0)


def test_guard_conditions_wake_from_any_thread(make_node: Any, spin_until: Any) -> None:
    calls: list[int] = []
    guard = make_node().create_guard_condition(lambda: calls.append(1))
    threading.Timer(0.05, guard.trigger).start()
    spin_until(lambda: calls)
    assert calls == [1]


def test_the_graph_is_known(make_node: Any, context: Any) -> None:
    node = make_node('one', namespace='/ns')
    make_node('two').create_subscription(String, '/ns/chat', lambda _: None, 10)
    node.create_publisher(String, 'chat', QoSProfile(depth=7))
    node.create_service(Trigger, '~/do', lambda _, response: response)
    assert ('/ns/chat', ['std_msgs/msg/String']) in node.get_topic_names_and_types()
    assert ('/ns/one/do', ['std_srvs/srv/Trigger']) in node.get_service_names_and_types()
    assert sorted(node.get_node_names_and_namespaces()) == [('one', '/ns'), ('two', '/')]
    assert (node.count_publishers('chat'), node.count_subscribers('chat')) == (1, 1)
    [info] = node.get_publishers_info_by_topic('chat')
    assert (info.node_name, info.node_namespace) == ('one', '/ns')
    assert info.qos_profile.depth == 7
    assert info.topic_type == 'std_msgs/msg/String'
    assert node.get_subscriber_names_and_types_by_node('two', '/') == [
        ('/ns/chat', ['std_msgs/msg/String'])
    ]
    node.destroy_node()
    assert context.graph.on_topic('publication', '/ns/chat') == []


def test_another_process_is_seen_and_seen_leaving(
    make_node: Any, run_python: Any, spin_until: Any
) -> None:
    node = make_node()
    other = run_python(
        'import rclpy\n'
        'from std_msgs.msg import String\n'
        'rclpy.init(); node = rclpy.create_node("other")\n'
        'publisher = node.create_publisher(String, "chat", 10)\n'
        'node.create_timer(0.02, lambda: publisher.publish(String(data="hello")))\n'
        'rclpy.spin(node)\n'
    )
    got: list[Any] = []
    node.create_subscription(String, 'chat', got.append, 10)
    spin_until(lambda: len(got) > 3)
    assert node.wait_for_node('/other', 5.0)
    assert node.count_publishers('chat') == 1
    other.terminate()
    other.wait(10)
    spin_until(lambda: 'other' not in node.get_node_names())
    assert node.count_publishers('chat') == 0


@pytest.mark.parametrize('name', ['', 'a b', '1a', 'a//b', 'a/', '~x', 'a~', '{nope}/a'])
def test_bad_topic_names_are_refused(make_node: Any, name: str) -> None:
    with pytest.raises(InvalidTopicNameException):
        make_node().create_publisher(String, name, 10)


def test_what_is_destroyed_or_shut_down_cannot_be_used(make_node: Any, context: Any) -> None:
    node = make_node()
    publisher = node.create_publisher(String, 'chat', 10)
    subscription = node.create_subscription(String, 'chat', lambda _: None, 10)
    assert node.destroy_subscription(subscription)
    assert not node.destroy_subscription(subscription)
    assert list(node.subscriptions) == []
    other = node.create_publisher(String, 'other', 10)
    node.destroy_publisher(other)
    with pytest.raises(InvalidHandle):
        other.publish(String())
    context.shutdown()
    with pytest.raises(RCLError, match='context is invalid'):
        publisher.publish(String())
    with pytest.raises(RCLError):
        context.shutdown()
    with pytest.raises(NotInitializedException):
        rclpy.create_node('late', context=context)


def test_shutdown_ends_spin(make_node: Any, executor: Any, context: Any) -> None:
    make_node()
    threading.Timer(0.1, context.shutdown).start()
    with pytest.raises(ExternalShutdownException):
        executor.spin()


def test_exceptions_of_callbacks_reach_spin(make_node: Any, executor: Any) -> None:
    node = make_node()

    def fail() -> None:
        raise KeyError('from the callback')

    node.create_timer(0.01, fail)
    with pytest.raises(KeyError, match='from the callback'):
        executor.spin()
    executor.remove_node(node)

    async def fail_later() -> None:
        await done
        raise ValueError('from the task')

    done = Future()
    executor.create_task(fail_later)
    executor.spin_once(timeout_sec=0.1)
    done.set_result(None)
    with pytest.raises(ValueError, match='from the task'):
        executor.spin_once(timeout_sec=1.0)


def test_a_waiting_callback_excludes_its_group_but_not_others(
    make_node: Any, spin_until: Any
) -> None:
    node = make_node()
    gate, order = Future(), []
    free = ReentrantCallbackGroup()

    async def wait_for_gate(message: Any) -> None:
        order.append(f'begin {message.data}')
        await gate
        order.append(f'end {message.data}')

    node.create_subscription(String, 'a', wait_for_gate, 10)
    node.create_subscription(String, 'b', lambda m: order.append(m.data), 10, callback_group=free)
    a, b = (node.create_publisher(String, name, 10) for name in 'ab')
    a.publish(String(data='1'))
    spin_until(lambda: order == ['begin 1'])
    a.publish(String(data='2'))
    b.publish(String(data='free'))
    spin_until(lambda: order == ['begin 1', 'free'])
    gate.set_result(None)
    spin_until(lambda: len(order) == 5)
    assert order[2:] == ['end 1', 'begin 2', 'end 2']


def test_spin_until_future_complete_ends_with_the_future_or_the_time(executor: Any) -> None:
    future = Future()
    executor.spin_until_future_complete(future, timeout_sec=0.05)
    assert not future.done()
    threading.Timer(0.05, lambda: future.set_result(3)).start()
    executor.spin_until_future_complete(future, timeout_sec=10.0)
    assert future.result() == 3


@pytest.mark.parametrize(
    'statement',
    [
        'from rclpy.executors import MultiThreadedExecutor',
        'import rclpy.action',
        'import rclpy.lifecycle',
        'import tf2_ros',
    ],
)
def test_gaps_are_named(statement: str) -> None:
    with pytest.raises(ImportError, match='not offered by the embedded'):
        exec(statement)


def test_entities_may_come_and_go_while_another_thread_spins(
    make_node: Any, executor: Any
) -> None:
    node = make_node()
    failures: list[BaseException] = []

    def spin() -> None:
        try:
            executor.spin()
        except BaseException as error:
            failures.append(error)

    spinner = threading.Thread(target=spin, daemon=True)
    spinner.start()
    for index in range(30):
        got = threading.Event()
        subscription = node.create_subscription(String, 'chat', lambda _, e=got: e.set(), 10)
        timer = node.create_timer(0.001, lambda: None)
        publisher = node.create_publisher(String, 'chat', 10)
        publisher.publish(String(data=str(index)))
        assert got.wait(10.0)
        publisher.publish(String(data='while it is destroyed'))
        subscription.destroy()
        timer.destroy()
        publisher.destroy()
    executor.shutdown()
    spinner.join(10.0)
    assert not failures
    assert list(node.subscriptions) == []
