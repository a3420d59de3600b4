#!/usr/bin/env python3
"""Other solvers on the problems of `cargo xtask report solver`, which calls this and says what is installed.

    peers.py versions
    peers.py gap|fleet highs|cpsat|rebalancer FILE SECONDS
    peers.py cases FILE SECONDS     # the predecessor's way: cvxpy with HiGHS, model and all; SECONDS a case at most

Each prints one JSON object: value, bound, seconds and CPU seconds (of all threads), without the start of Python and the reading
of the file; `cases` the median of seconds and every objective. Two threads each.
"""

import importlib.metadata
import json
import resource
import statistics
import sys
import time

THREADS = 2


def read_gap(path):
    """Costs and needs by agent and then task, capacities: needs of one resource."""
    with open(path, encoding="utf-8") as file:
        numbers = iter(map(int, file.read().split()))
    agents, tasks = next(numbers), next(numbers)
    costs = [[next(numbers) for _ in range(tasks)] for _ in range(agents)]
    needs = [[next(numbers) for _ in range(tasks)] for _ in range(agents)]
    return costs, [needs], [[next(numbers) for _ in range(agents)]], [], 0


def read_fleet(path):
    """The same with cpu and memory, and links."""
    clusters, services, links, link_cost = [], [], [], 0
    with open(path, encoding="utf-8") as file:
        for line in map(json.loads, file):
            kind = line["t"]
            if kind == "fleet":
                link_cost = line["link_cost"]
            elif kind == "link":
                links.append((line["a"], line["b"]))
            else:
                (clusters if kind == "cluster" else services).append(line)

    def cost(service, cluster):
        carbon = service["power"] * cluster["pue"] * cluster["carbon"] * 50
        price = service["cpu"] * cluster["price_cpu"] * 1024 + service["mem"] * cluster["price_mem"] * 1000
        return (carbon + 50_000_000) // 100_000_000 + (price + 512_000) // 1_024_000

    costs = [[cost(service, cluster) for service in services] for cluster in clusters]
    needs = [[[service[name] for service in services] for _ in clusters] for name in ("cpu", "mem")]
    capacities = [[cluster[name] for cluster in clusters] for name in ("cpu", "mem")]
    return costs, needs, capacities, links, link_cost


def highs(problem, seconds):
    """A mixed-integer programme: a row a task, a row an agent and resource, two rows a link and agent."""
    import highspy
    import numpy

    costs, needs, capacities, links, link_cost = problem
    agents, tasks = len(costs), len(costs[0])
    model = highspy.Highs()
    model.silent()
    model.setOptionValue("time_limit", float(seconds))
    model.setOptionValue("threads", THREADS)
    model.setOptionValue("mip_rel_gap", 0.0)
    x = [[model.addBinary(obj=float(costs[a][t])) for t in range(tasks)] for a in range(agents)]
    for t in range(tasks):
        model.addConstr(sum(x[a][t] for a in range(agents)) == 1)
    index = numpy.array([[x[a][t].index for t in range(tasks)] for a in range(agents)], dtype=numpy.int32)
    for need, capacity in zip(needs, capacities):
        for a in range(agents):
            model.addRow(-highspy.kHighsInf, float(capacity[a]), tasks, index[a], numpy.array(need[a], dtype=float))
    for one, other in links:
        cut = model.addVariable(lb=0.0, ub=1.0, obj=float(link_cost)).index
        for a in range(agents):
            ends = numpy.array([index[a][one], index[a][other], cut], dtype=numpy.int32)
            model.addRow(-highspy.kHighsInf, 0.0, 3, ends, numpy.array([1.0, -1.0, -1.0]))
    model.run()
    info = model.getInfo()
    found = info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
    return (info.objective_function_value if found else None), info.mip_dual_bound


def cpsat(problem, seconds):
    """The same as a constraint programme."""
    from ortools.sat.python import cp_model

    costs, needs, capacities, links, link_cost = problem
    agents, tasks = len(costs), len(costs[0])
    model = cp_model.CpModel()
    x = [[model.new_bool_var("") for _ in range(tasks)] for _ in range(agents)]
    for t in range(tasks):
        model.add_exactly_one(x[a][t] for a in range(agents))
    for need, capacity in zip(needs, capacities):
        for a in range(agents):
            model.add(cp_model.LinearExpr.weighted_sum(x[a], need[a]) <= capacity[a])
    terms, weights = [y for row in x for y in row], [c for row in costs for c in row]
    for one, other in links:
        cut = model.new_bool_var("")
        for a in range(agents):
            model.add_bool_or(~x[a][one], x[a][other], cut)
        terms.append(cut)
        weights.append(link_cost)
    model.minimize(cp_model.LinearExpr.weighted_sum(terms, weights))
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = seconds
    solver.parameters.num_workers = THREADS
    found = solver.solve(model) in (cp_model.OPTIMAL, cp_model.FEASIBLE)
    return (solver.objective_value if found else None), solver.best_objective_bound


def by_regret(problem):
    """A first answer: tasks that lose most by their second agent go first, each to the cheapest agent with room, or to the cheapest."""
    costs, needs, capacities, _, _ = problem
    agents, tasks = len(costs), len(costs[0])
    left = [list(capacity) for capacity in capacities]

    def regret(task):
        first, second = sorted(costs[agent][task] for agent in range(agents))[:2] if agents > 1 else (0, 0)
        return first - second

    answer = [0] * tasks
    for task in sorted(range(tasks), key=regret):
        order = sorted(range(agents), key=lambda agent: costs[agent][task])
        fits = (a for a in order if all(need[a][task] <= room[a] for need, room in zip(needs, left)))
        answer[task] = next(fits, order[0])
        for need, room in zip(needs, left):
            room[answer[task]] -= need[answer[task]][task]
    return answer


def rebalancer(problem, seconds):
    """Meta's Rebalancer: local search by moves and swaps from a first answer (with loops of three it ended dearer). It has no bound."""
    from rebalancer import ProblemSolver

    costs, needs, capacities, links, link_cost = problem
    agents, tasks = len(costs), len(costs[0])
    containers, objects = [f"a{a}" for a in range(agents)], [f"t{t}" for t in range(tasks)]
    held = {container: [] for container in containers}
    for task, agent in enumerate(by_regret(problem)):
        held[containers[agent]].append(objects[task])
    solver = ProblemSolver(service_name="smo", service_scope="report")
    solver.set_object_name("object").set_container_name("container").set_assignment(held)
    for number, (need, capacity) in enumerate(zip(needs, capacities)):
        name = f"need{number}"
        amounts = {containers[a]: dict(zip(objects, map(float, need[a]))) for a in range(agents)}
        solver.add_dynamic_object_dimension(name, "container", amounts)
        rooms = dict(zip(containers, map(float, capacity)))
        limit = {"scopeItemLimits": rooms}
        solver.add_constraint(
            {"capacitySpec": {"name": name, "scope": "container", "dimension": name, "limit": limit}}
        )
    wishes = [
        {"objectName": objects[t], "scopeItemName": containers[a], "affinity": -float(costs[a][t])}
        for a in range(agents)
        for t in range(tasks)
    ]
    solver.add_goal(
        {"assignmentAffinitiesSpec": {"name": "cost", "scope": "container", "affinities": wishes}}
    )
    if links:
        together = [
            {"pair": {"object1": objects[one], "object2": objects[other]}, "affinity": float(link_cost)}
            for one, other in links
        ]
        solver.add_goal({"pairAffinitiesSpec": {"name": "links", "scope": "container", "affinities": together}})
    moves = [{"singleMoveTypeSpec": {}}, {"swapMoveTypeSpec": {}}]
    solver.add_solver({"localSearchSolverSpec": {"solveTime": max(1, round(seconds)), "moveTypeList": moves}})
    found = solver.solve()["assignment"]
    answer = [int(found[name][1:]) for name in objects]
    for need, capacity in zip(needs, capacities):
        taken = [0] * agents
        for task, agent in enumerate(answer):
            taken[agent] += need[agent][task]
        if any(amount > room for amount, room in zip(taken, capacity)):
            return None, None
    cut = sum(answer[one] != answer[other] for one, other in links)
    return sum(costs[agent][task] for task, agent in enumerate(answer)) + link_cost * cut, None


def predecessor(case, seconds):
    """The predecessor's carbon-aware model: binaries of services on clusters, cores and GPUs, moves and carbon."""
    import cvxpy
    import numpy

    clusters, services, current, weights = case["clusters"], case["services"], case["current"], case["weights"]
    x = cvxpy.Variable((len(services), len(clusters)), boolean=True)
    y = numpy.zeros((len(services), len(clusters)))
    for service, cluster in enumerate(current):
        if cluster is not None:
            y[service, cluster] = 1
    cores = numpy.array([service["cpu"] * service["replicas"] for service in services])
    needs = numpy.array([[float(service["gpu"])] for service in services]) * numpy.ones((1, len(clusters)))
    gpus = numpy.array([[float(cluster["gpu"]) for cluster in clusters]]) * numpy.ones((len(services), 1))
    carbon = numpy.outer(cores, [cluster["carbon"] for cluster in clusters])
    keeps = [
        cvxpy.sum(x, axis=1) == 1,
        cores @ x <= numpy.array([cluster["cpu"] for cluster in clusters]),
        cvxpy.multiply(x, needs) <= gpus,
    ]
    goal = (
        weights["dep"] * cvxpy.sum(x)
        + weights["re"] * cvxpy.sum(cvxpy.multiply(y, 1 - x))
        + weights["carbon"] * cvxpy.sum(cvxpy.multiply(carbon, x))
    )
    problem = cvxpy.Problem(cvxpy.Minimize(goal), keeps)
    problem.solve(solver=cvxpy.HIGHS, time_limit=seconds)
    return None if problem.value is None else float(problem.value)


def timed(work):
    """What `work` gives, its seconds, and CPU seconds."""
    began, used = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF)
    given = work()
    now = resource.getrusage(resource.RUSAGE_SELF)
    return given, time.perf_counter() - began, now.ru_utime - used.ru_utime


def cases(path, seconds):
    """Every case of a file of the oracle's format, after one that pays for what is loaded late."""
    with open(path, encoding="utf-8") as file:
        found = [json.loads(line)["input"] for line in file]
    predecessor(found[0], seconds)
    runs = [timed(lambda case=case: predecessor(case, seconds)) for case in found]
    return {
        "seconds": statistics.median(run[1] for run in runs),
        "user": statistics.median(run[2] for run in runs),
        "objectives": [run[0] for run in runs],
    }


def versions():
    """The version of each, or null."""
    found = {}
    for name in ("highspy", "ortools", "cvxpy", "rebalancer"):
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = None
    return found


def main(arguments):
    match arguments:
        case ["versions"]:
            said = versions()
        case ["cases", path, seconds]:
            said = cases(path, float(seconds))
        case [("gap" | "fleet") as kind, ("highs" | "cpsat" | "rebalancer") as solver, path, seconds]:
            problem = read_gap(path) if kind == "gap" else read_fleet(path)
            solve = {"highs": highs, "cpsat": cpsat, "rebalancer": rebalancer}[solver]
            (value, bound), took, user = timed(lambda: solve(problem, float(seconds)))
            said = {"value": value, "bound": bound, "seconds": took, "user": user}
        case _:
            sys.exit(__doc__)
    print(json.dumps(said))


if __name__ == "__main__":
    main(sys.argv[1:])
