# SPDX-License-Identifier: Apache-2.0
"""Nodes."""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from embedded_ros import classes
from embedded_ros.graph import NodeEndpoints

from . import arguments, logging, names
from .callback_groups import CallbackGroup, MutuallyExclusiveCallbackGroup
from .clock import Clock, ROSClock
from .context import Context
from .entity import GuardCondition
from .event_handler import EndpointEvents, PublisherEventCallbacks, SubscriptionEventCallbacks
from .exceptions import NotInitializedException
from .node_graph import NodeGraph
from .node_parameters import NodeParameters
from .parameter import Parameter
from .parameter_store import ParameterStore
from .publisher import Publisher
from .qos import (
    QoSProfile,
    qos_profile_parameter_events,
    qos_profile_rosout_default,
    qos_profile_services_default,
)
from .service import Client, Service
from .subscription import Subscription
from .timer import Rate, Timer
from .utilities import get_default_context

PARAMETER_SEPARATOR_STRING = '.'
_NO_SIM_TIME = (
    'use_sim_time is not offered by the embedded runtime: ROS time is system time; '
    'remove the parameter, or use ROS 2'
)


class Node(NodeGraph, NodeParameters):
    """A participant in the ROS graph: publishers, subscriptions, services, timers, parameters."""

    def __init__(
        self,
        node_name: str,
        *,
        context: Context | None = None,
        cli_args: list[str] | None = None,
        namespace: str | None = None,
        use_global_arguments: bool = True,
        enable_rosout: bool = True,
        start_parameter_services: bool = True,
        parameter_overrides: list[Parameter] | None = None,
        allow_undeclared_parameters: bool = False,
        automatically_declare_parameters_from_overrides: bool = False,
        enable_logger_service: bool = False,
    ) -> None:
        self._context = context or get_default_context()
        if not self._context.ok():
            raise NotInitializedException('cannot create node')
        own = arguments.parse(['--ros-args', *_without_flag(cli_args)])
        everywhere = self._context.arguments if use_global_arguments else arguments.Arguments()
        self._rules = [*own.remaps, *everywhere.remaps]
        given, namespace = node_name, namespace or ''
        if namespace and not namespace.startswith('/'):
            namespace = f'/{namespace}'
        names.validate_node_name(given)
        name = own.node_name(given)
        name = everywhere.node_name(given) if name == given else name
        namespace = own.namespace(given, '') or everywhere.namespace(given, namespace) or '/'
        names.validate_node_name(name)
        names.validate_namespace(namespace)
        self._name, self._namespace = name, namespace
        self._logger = logging.get_logger('.'.join([*namespace.split('/')[1:], name]).lstrip('.'))
        self._entities: list[Any] = []
        self._timers: list[Timer] = []
        self._publishers: list[Publisher] = []
        self._rates: list[Rate] = []
        self._executor: Any = None
        self._destroyed = False
        self._clock = ROSClock()
        self._default_callback_group = MutuallyExclusiveCallbackGroup()
        self._endpoints = NodeEndpoints(name=name, namespace=namespace)
        graph = self._context.graph
        graph.nodes.append(self._endpoints)
        self._context.nodes.append(self)
        overrides = {
            **everywhere.overrides(name, namespace),
            **own.overrides(name, namespace),
            **{parameter.name: parameter.value for parameter in parameter_overrides or ()},
        }
        self._parameters = ParameterStore(
            overrides, allow_undeclared=allow_undeclared_parameters, announce=self._announce
        )
        self._rosout: Publisher | None = None
        if enable_rosout and own.rosout and everywhere.rosout:
            self._start_rosout()
        from rcl_interfaces.msg import ParameterEvent

        self._parameter_events = self.create_publisher(
            ParameterEvent, '/parameter_events', qos_profile_parameter_events
        )
        if automatically_declare_parameters_from_overrides:
            for key, value in overrides.items():
                self.declare_parameter(key, value, ignore_override=True)
        if not self.has_parameter('use_sim_time'):
            self.declare_parameter('use_sim_time', False)
        if self.get_parameter('use_sim_time').value:
            self.destroy_node()
            raise RuntimeError(_NO_SIM_TIME)
        self.add_on_set_parameters_callback(_refuse_sim_time)

    # Who it is.

    @property
    def context(self) -> Context:
        """Its context."""
        return self._context

    @property
    def default_callback_group(self) -> CallbackGroup:
        """The group of entities for which none is given."""
        return self._default_callback_group

    @property
    def handle(self) -> Node:
        """The node itself: there is no C part here."""
        return self

    def get_name(self) -> str:
        """Its name."""
        return self._name

    def get_namespace(self) -> str:
        """Its namespace."""
        return self._namespace

    def get_fully_qualified_name(self) -> str:
        """Namespace and name."""
        return self._endpoints.full_name

    def get_clock(self) -> Clock:
        """Its clock."""
        return self._clock

    def get_logger(self) -> logging.RcutilsLogger:
        """Its logger."""
        return self._logger

    # What it has.

    @property
    def publishers(self) -> Iterable[Publisher]:
        """Its publishers."""
        return iter(list(self._publishers))

    @property
    def subscriptions(self) -> Iterable[Subscription]:
        """Its subscriptions."""
        return (entity for entity in list(self._entities) if isinstance(entity, Subscription))

    @property
    def clients(self) -> Iterable[Client]:
        """Its clients."""
        return (entity for entity in list(self._entities) if isinstance(entity, Client))

    @property
    def services(self) -> Iterable[Service]:
        """Its services."""
        return (entity for entity in list(self._entities) if isinstance(entity, Service))

    @property
    def guards(self) -> Iterable[GuardCondition]:
        """Its guard conditions."""
        return (entity for entity in list(self._entities) if isinstance(entity, GuardCondition))

    @property
    def timers(self) -> Iterable[Timer]:
        """Its timers."""
        return iter(list(self._timers))

    def entities(self) -> list[Any]:
        """Everything an executor waits for, except timers."""
        return list(self._entities)

    @property
    def executor(self) -> Any:
        """The executor that runs its callbacks, or None."""
        return self._executor() if self._executor is not None else None

    @executor.setter
    def executor(self, new_executor: Any) -> None:
        current = self.executor
        if current is new_executor:
            return
        if current is not None:
            current.remove_node(self)
        self._executor = weakref.ref(new_executor) if new_executor is not None else None
        if new_executor is not None:
            new_executor.add_node(self)

    def release_executor(self, executor: Any) -> None:
        """Forgets the executor that let it go."""
        if self.executor is executor:
            self._executor = None

    def wake_executor(self) -> None:
        """Makes the executor look again."""
        if (executor := self.executor) is not None:
            executor.wake()

    # Publishers and subscriptions.

    def create_publisher(
        self,
        msg_type: type,
        topic: str,
        qos_profile: QoSProfile | int,
        *,
        callback_group: CallbackGroup | None = None,
        event_callbacks: PublisherEventCallbacks | None = None,
        qos_overriding_options: Any = None,
        publisher_class: type[Publisher] = Publisher,
    ) -> Publisher:
        """A publisher; an int in place of a profile is the depth of the default profile."""
        _refuse_overriding(qos_overriding_options)
        name, profile = self.resolve_topic_name(topic), _profile(qos_profile)
        profile = self._best_available(profile, name, is_writer=True)
        publisher = publisher_class(self, msg_type, name, profile, callback_group)
        self._publishers.append(publisher)
        self._join(writers=[publisher.writer])
        chosen = event_callbacks or PublisherEventCallbacks()
        self._watch(publisher, publisher.writer.entity, chosen, callback_group, is_writer=True)
        return publisher

    def create_subscription(
        self,
        msg_type: type,
        topic: str,
        callback: Callable[..., Any],
        qos_profile: QoSProfile | int,
        *,
        callback_group: CallbackGroup | None = None,
        event_callbacks: SubscriptionEventCallbacks | None = None,
        qos_overriding_options: Any = None,
        raw: bool = False,
    ) -> Subscription:
        """A subscription; with raw the callback gets the serialised bytes."""
        _refuse_overriding(qos_overriding_options)
        name, profile = self.resolve_topic_name(topic), _profile(qos_profile)
        profile = self._best_available(profile, name, is_writer=False)
        subscription = Subscription(self, msg_type, name, callback, profile, callback_group, raw)
        self._add(subscription, readers=[subscription.reader])
        chosen = event_callbacks or SubscriptionEventCallbacks()
        entity = subscription.reader.entity
        self._watch(subscription, entity, chosen, callback_group, is_writer=False)
        return subscription

    def _watch(
        self, endpoint: Any, entity: Any, chosen: Any, group: Any, *, is_writer: bool
    ) -> None:
        events = EndpointEvents(self, group, entity, endpoint.topic, chosen, is_writer=is_writer)
        endpoint.event_handlers.append(events)
        if events.conditions():
            self._add(events)

    # Services, timers, guard conditions.

    def create_client(
        self,
        srv_type: Any,
        srv_name: str,
        *,
        qos_profile: QoSProfile = qos_profile_services_default,
        callback_group: CallbackGroup | None = None,
    ) -> Client:
        """A client of a service."""
        name = self.resolve_service_name(srv_name)
        client = Client(self, srv_type, name, qos_profile, callback_group)
        self._add(client, readers=[client.reader], writers=[client.writer])
        return client

    def create_service(
        self,
        srv_type: Any,
        srv_name: str,
        callback: Callable[[Any, Any], Any],
        *,
        qos_profile: QoSProfile = qos_profile_services_default,
        callback_group: CallbackGroup | None = None,
    ) -> Service:
        """A service: callback(request, response) returns the response."""
        name = self.resolve_service_name(srv_name)
        service = Service(self, srv_type, name, callback, qos_profile, callback_group)
        self._add(service, readers=[service.reader], writers=[service.writer])
        return service

    def create_timer(
        self,
        timer_period_sec: float,
        callback: Callable[[], Any] | None,
        callback_group: CallbackGroup | None = None,
        clock: Clock | None = None,
        autostart: bool = True,
    ) -> Timer:
        """A timer of this period [s]."""
        group = callback_group or self.default_callback_group
        timer = Timer(
            callback,
            group,
            int(float(timer_period_sec) * 1e9),
            clock or self._clock,
            context=self._context,
            autostart=autostart,
            node=self,
        )
        group.add_entity(timer)
        self._timers.append(timer)
        self.wake_executor()
        return timer

    def create_rate(self, frequency: float, clock: Clock | None = None) -> Rate:
        """A rate [Hz] to sleep by in a thread that does not spin."""
        if frequency <= 0:
            raise ValueError('frequency must be > 0')
        rate = Rate(self.create_timer(1.0 / frequency, None, clock=clock), context=self._context)
        self._rates.append(rate)
        return rate

    def create_guard_condition(
        self, callback: Callable[[], Any], callback_group: CallbackGroup | None = None
    ) -> GuardCondition:
        """A condition that any thread can trigger."""
        guard = GuardCondition(callback, callback_group, self)
        self._add(guard)
        return guard

    def add_waitable(self, waitable: Any) -> None:
        """Not offered."""
        raise NotImplementedError('waitables are not offered by the embedded runtime')

    def _add(
        self, entity: Any, *, readers: Sequence[Any] = (), writers: Sequence[Any] = ()
    ) -> None:
        self._entities.append(entity)
        self._join(readers=readers, writers=writers)
        if (executor := self.executor) is not None:
            executor.refresh()

    def _join(self, *, readers: Sequence[Any] = (), writers: Sequence[Any] = ()) -> None:
        self._endpoints.readers |= {reader.gid for reader in readers}
        self._endpoints.writers |= {writer.gid for writer in writers}
        if readers or writers:
            self._context.graph.announce()

    def forget(self, entity: Any) -> None:
        """Notes that an entity is being destroyed."""
        for kept in (self._entities, self._timers, self._publishers):
            if entity in kept:
                kept.remove(entity)
        for events in getattr(entity, 'event_handlers', ()):
            events.destroy()
        gids = {half.gid for name in ('reader', 'writer') if (half := getattr(entity, name, None))}
        if gids & (self._endpoints.readers | self._endpoints.writers):
            self._endpoints.readers -= gids
            self._endpoints.writers -= gids
            if self._context.ok():
                self._context.graph.announce()
        if (executor := self.executor) is not None:
            executor.refresh()

    def _destroy(self, entity: Any, kept: Iterable[Any]) -> bool:
        found = entity in list(kept)
        if found:
            entity.destroy()
        return found

    def destroy_publisher(self, publisher: Publisher) -> bool:
        """Ends a publisher; False when it is not of this node."""
        return self._destroy(publisher, self._publishers)

    def destroy_subscription(self, subscription: Subscription) -> bool:
        """Ends a subscription; False when it is not of this node."""
        return self._destroy(subscription, self._entities)

    def destroy_client(self, client: Client) -> bool:
        """Ends a client; False when it is not of this node."""
        return self._destroy(client, self._entities)

    def destroy_service(self, service: Service) -> bool:
        """Ends a service; False when it is not of this node."""
        return self._destroy(service, self._entities)

    def destroy_timer(self, timer: Timer) -> bool:
        """Ends a timer; False when it is not of this node."""
        return self._destroy(timer, self._timers)

    def destroy_guard_condition(self, guard: GuardCondition) -> bool:
        """Ends a guard condition; False when it is not of this node."""
        return self._destroy(guard, self._entities)

    def destroy_rate(self, rate: Rate) -> bool:
        """Ends a rate; False when it is not of this node."""
        found = self._destroy(rate, self._rates)
        if found:
            self._rates.remove(rate)
        return found

    def destroy_node(self) -> None:
        """Ends the node and everything it has."""
        if self._destroyed:
            return
        self._destroyed = True
        logging.set_rosout(self._logger.name, None)
        if (executor := self.executor) is not None:
            executor.remove_node(self)
        # One announcement for all of it, not one for each.
        self._endpoints.readers.clear()
        self._endpoints.writers.clear()
        for rate in list(self._rates):
            rate.destroy()
        for entity in [*self._entities, *self._timers, *self._publishers]:
            entity.destroy()
        self._context.leave(self, self._endpoints)

    def __enter__(self) -> Node:
        return self

    def __exit__(self, *exception: object) -> None:
        self.destroy_node()

    def _announce(
        self, new: list[Parameter], changed: list[Parameter], deleted: list[Parameter]
    ) -> None:
        from rcl_interfaces.msg import ParameterEvent

        self._parameter_events.publish(
            ParameterEvent(
                stamp=self._clock.now().to_msg(),
                node=self.get_fully_qualified_name(),
                new_parameters=[parameter.to_parameter_msg() for parameter in new],
                changed_parameters=[parameter.to_parameter_msg() for parameter in changed],
                deleted_parameters=[parameter.to_parameter_msg() for parameter in deleted],
            )
        )

    def _start_rosout(self) -> None:
        from rcl_interfaces.msg import Log

        publisher = self.create_publisher(Log, '/rosout', qos_profile_rosout_default)
        time_class = classes.interface_class('builtin_interfaces/msg/Time')

        def publish(severity: int, name: str, text: str, frame: Any, now_ns: int) -> None:
            if publisher._destroyed or not self._context.ok():
                return
            seconds, nanoseconds = divmod(now_ns, 1_000_000_000)
            code = frame.f_code
            publisher.publish(
                Log(
                    stamp=time_class(sec=seconds, nanosec=nanoseconds),
                    level=int(severity),
                    name=name,
                    msg=text,
                    file=code.co_filename,
                    function=code.co_name,
                    line=frame.f_lineno,
                )
            )

        logging.set_rosout(self._logger.name, publish)
        self._rosout = publisher

    def wait_for_node(self, fully_qualified_node_name: str, timeout: float) -> bool:
        """Waits until a node is known; False after the timeout [s]."""
        end = time.monotonic() + timeout
        while not self.knows_node(fully_qualified_node_name):
            left = end - time.monotonic()
            if left <= 0 or not self._context.ok():
                return False
            self._context.graph.wait_for_change(left)
        return True


def _profile(given: QoSProfile | int) -> QoSProfile:
    if isinstance(given, QoSProfile):
        return given
    if isinstance(given, int) and not isinstance(given, bool):
        if given < 0:
            raise ValueError('Negative integers for QoS depth are not allowed')
        return QoSProfile(depth=given)
    raise TypeError(f'Expected QoSProfile or int, but received {type(given)!r}')


def _without_flag(cli_args: list[str] | None) -> list[str]:
    return [word for word in cli_args or () if word != '--ros-args']


def _refuse_overriding(options: Any) -> None:
    if options is not None:
        raise NotImplementedError(
            'qos_overriding_options are not offered by the embedded runtime; pass the profile'
        )


def _refuse_sim_time(parameters: list[Parameter]) -> Any:
    from rcl_interfaces.msg import SetParametersResult

    if any(parameter.name == 'use_sim_time' and parameter.value for parameter in parameters):
        return SetParametersResult(successful=False, reason=_NO_SIM_TIME)
    return SetParametersResult(successful=True)
