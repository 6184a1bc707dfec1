"""The Run screen: plan, current case, prompt bar, devices and watchers."""
